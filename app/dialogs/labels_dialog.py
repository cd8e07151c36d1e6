"""Adding a folder of label planes: what is where in the images, for dissecting models."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QWidget

from app.dialogs.folder_form import FolderForm
from app.dialogs.form import is_folder
from app.labels import wrapped_label
from app.problems import Problem
from app.workspace import Workspace

_ADD = "add labels"
_HELP = (
    "A Broden folder, or a folder of masks named like the images: indexed PNG, or RGB with a table"
    " of names. The files stay where they are."
)


class LabelsDialog(FolderForm):
    """Folder, name and image set. Nothing typed is lost if the folder will not do."""

    def __init__(
        self, workspace: Workspace, source: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__("Add label planes", "folder of label planes", "label planes", parent)
        self._workspace = workspace
        self.image_set = QComboBox()
        self.image_set.setAccessibleName("Images that they belong to")
        index = workspace.index
        for entry in index.image_sets if index is not None else ():
            self.image_set.addItem(f"{entry.name} ({entry.images:,} images)", entry.id)
        self.image_set.addItem("every image set that has images of the same names", None)
        self.form.addRow("Images", self.image_set)
        self.form.addRow(wrapped_label(_HELP, muted=True))
        workspace.loader.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self.start(source)

    def taken(self) -> set[str]:
        index = self._workspace.index
        return {entry.name for entry in index.labels} if index is not None else set()

    def problem(self, name: str, path: Path | None) -> str:
        return check_labels(name, path, self.taken())

    def accept(self) -> None:
        path, project = self.checked_path(), self._workspace.project
        if path is None or project is None:
            return
        self.accept_button.setEnabled(False)
        self._workspace.loader.load(
            _ADD,
            self._workspace.backend.add_labels,
            project,
            self.name.text().strip(),
            path,
            self.image_set.currentData(),
            then=self._on_added,
        )

    def _on_added(self, _number: int) -> None:
        self._workspace.refresh_index()
        super().accept()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _ADD:
            self.say_problem(problem)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


def check_labels(name: str, path: Path | None, taken: set[str]) -> str:
    """What stands in the way of adding label planes, or an empty text."""
    if path is None:
        return "Choose the folder of the label planes, or drop it here."
    if not is_folder(path):
        return "There is no such folder."
    if not name.strip():
        return "Give the label planes a name."
    if name.strip() in taken:
        return f"“{name.strip()}” is already in this project: choose another name."
    return ""
