"""Adding an image set: a folder of class folders, a flat folder, a list, or a Broden layout."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.dialogs.folder_form import FolderForm
from app.dialogs.form import is_there
from app.labels import wrapped_label
from app.workspace import Workspace

_HELP = (
    "A folder with one folder a class, a folder of images, a text file that lists images,"
    " or a Broden folder. The images stay where they are."
)


class ImagesDialog(FolderForm):
    """Name and folder; the scan then runs as a job."""

    def __init__(
        self, workspace: Workspace, source: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__("Add images", "image folder", "image set", parent)
        self._workspace = workspace
        self.form.addRow(wrapped_label(_HELP, muted=True))
        self.start(source)

    def taken(self) -> set[str]:
        index = self._workspace.index
        return {entry.name for entry in index.image_sets} if index is not None else set()

    def problem(self, name: str, path: Path | None) -> str:
        return check_images(name, path, self.taken())

    def accept(self) -> None:
        path = self.checked_path()
        if path is not None:
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
