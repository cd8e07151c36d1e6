"""A folder and a name for it: what the dialogs for images and for label planes have in common."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from app.dialogs.form import FormDialog, PathField, suggest_name


class FolderForm(FormDialog):
    """A folder, and a name that follows it until one is typed.

    A subclass says which names are `taken`, and what is wrong (`problem`).
    """

    def __init__(self, title: str, folder: str, what: str, parent: QWidget | None = None) -> None:
        """`folder`: what is chosen, in words; `what`: what gets the name, in words."""
        super().__init__(title, "Add", parent)
        self._named_by_user = False
        self.source = PathField(folder, "folder")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName(f"Name of the {what}")
        self.form.addRow("Folder", self.source)
        self.form.addRow("Name", self.name)
        self.source.changed.connect(self._on_source)
        self.name.textEdited.connect(self._on_name)

    def taken(self) -> set[str]:
        """Names that are in use already."""
        raise NotImplementedError

    def problem(self, name: str, path: Path | None) -> str:
        """What stands in the way, or an empty text."""
        raise NotImplementedError

    def start(self, source: str) -> None:
        """Begin with a folder, or none; call at the end of `__init__`."""
        self.source.set_text(source)
        self.check()

    def check(self) -> None:
        """Say what stands in the way."""
        self.say(self.problem(self.name.text(), self.source.path()))

    def checked_path(self) -> Path | None:
        """The folder, if nothing stands in the way."""
        self.check()
        return self.source.path() if self.accept_button.isEnabled() else None

    @Slot()
    def _on_source(self) -> None:
        path = self.source.path()
        if path is not None and not self._named_by_user:
            self.name.setText(suggest_name(path, self.taken()))
        self.check()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self.check()
