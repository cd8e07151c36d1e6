"""Adding an image set: a folder of class folders, a flat folder, a list, or a Broden layout."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from app.dialogs.form import FormDialog, PathField, is_there, suggest_name
from app.labels import wrapped_label
from app.workspace import Workspace

_HELP = (
    "A folder with one folder a class, a folder of images, a text file that lists images,"
    " or a Broden folder. The images stay where they are."
)


class ImagesDialog(FormDialog):
    """Name and folder; the scan then runs as a job."""

    def __init__(
        self, workspace: Workspace, source: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__("Add images", "Add", parent)
        self._workspace = workspace
        self._named_by_user = False
        self.source = PathField("image folder", "folder")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Name of the image set")
        self.form.addRow("Folder", self.source)
        self.form.addRow("Name", self.name)
        self.form.addRow(wrapped_label(_HELP, muted=True))
        self.source.changed.connect(self._on_source)
        self.name.textEdited.connect(self._on_name)
        self.source.set_text(source)
        self._check()

    def _taken(self) -> set[str]:
        index = self._workspace.index
        return {entry.name for entry in index.image_sets} if index is not None else set()

    @Slot()
    def _on_source(self) -> None:
        path = self.source.path()
        if path is not None and not self._named_by_user:
            self.name.setText(suggest_name(path, self._taken()))
        self._check()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self._check()

    def _check(self) -> None:
        self.say(check_images(self.name.text(), self.source.path(), self._taken()))

    def accept(self) -> None:
        path = self.source.path()
        self._check()
        if not self.accept_button.isEnabled() or path is None:
            return
        self._workspace.add_images(self.name.text().strip(), path)
        super().accept()


def check_images(name: str, path: Path | None, taken: set[str]) -> str:
    """What stands in the way of adding images, or an empty text."""
    if path is None:
        return "Choose the folder of the images, or drop it here."
    if not is_there(path):
        return "There is no such folder."
    if not name.strip():
        return "Give the image set a name."
    if name.strip() in taken:
        return f"“{name.strip()}” is already in this project: choose another name."
    return ""
