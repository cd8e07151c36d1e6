"""A new project: its file, image folders and models, all in one place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.form import FormDialog, PathField, suggest_name
from app.dialogs.model_form import ModelForm
from app.problems import Problem
from app.specification_text import WEIGHT_SUFFIXES
from app.widgets.roomy_rows import RoomyRows
from app.workspace import IntakeWish, Workspace, images_wish, model_wish

PROJECT_SUFFIX = ".parallax"
PROJECT_FILTER = f"Parallax projects (*{PROJECT_SUFFIX})"
_NAME_ROLE = Qt.ItemDataRole.UserRole
_VALUE_ROLE = Qt.ItemDataRole.UserRole + 1


class ProjectDialog(FormDialog):
    """Collects wishes; `wished(path, intake)` when the user is done."""

    wished = Signal(object, object)

    def __init__(
        self, workspace: Workspace, folder: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__("New project", "Create", parent)
        self.setAcceptDrops(True)
        self.path = PathField("project file", "save", PROJECT_FILTER)
        self.path.set_text(str((folder or Path.home()) / f"untitled{PROJECT_SUFFIX}"))
        self.images = _entry_list("Image folders of the new project")
        self.models = _entry_list("Models of the new project")
        self.model = ModelForm(workspace, set())
        self.add_model = QPushButton("Add this model")
        self.add_images = QPushButton("Add folder…")
        self._removers = {
            id(self.images): QPushButton("Remove"),
            id(self.models): QPushButton("Remove"),
        }
        for button in (self.add_model, self.add_images, *self._removers.values()):
            button.setAutoDefault(False)
        self._build()
        self.path.changed.connect(self._check)
        self.model.changed.connect(self._on_model_changed)
        self.add_model.clicked.connect(self._add_model)
        self.add_images.clicked.connect(self._choose_images)
        self._removers[id(self.images)].clicked.connect(self._remove_images)
        self._removers[id(self.models)].clicked.connect(self._remove_models)
        self._check()
        self._on_model_changed()

    def _build(self) -> None:
        self.form.addRow("File", self.path)
        for position, (title, entries, extra, button) in enumerate(
            (
                ("Images: drop folders here", self.images, None, self.add_images),
                ("Models: drop weights files here", self.models, self.model, self.add_model),
            )
        ):
            group = QGroupBox(title)
            column = QVBoxLayout(group)
            if extra is not None:
                column.addWidget(extra)
            row = QHBoxLayout()
            row.addWidget(button)
            row.addWidget(self._removers[id(entries)])
            row.addStretch(1)
            column.addLayout(row)
            column.addWidget(entries)
            self.column.insertWidget(1 + position, group)
        self.column.insertStretch(3, 1)
        self.resize(640, 520)

    # -- images ----------------------------------------------------------------------------
    @Slot()
    def _choose_images(self) -> None:
        dialog = QFileDialog(self, "Choose an image folder")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.add_image_folder)
        dialog.open()

    @Slot(str)
    def add_image_folder(self, folder: str) -> None:
        """List a folder (or an image list), once."""
        path = Path(folder)
        if any(Path(value) == path for _name, value in _entries(self.images)):
            return
        name = suggest_name(path, {name for name, _value in _entries(self.images)})
        _add(self.images, name, str(path), f"{name}: {path}")
        self._check()

    @Slot()
    def _remove_images(self) -> None:
        self.images.takeItem(self.images.currentRow())
        self._check()

    # -- models ----------------------------------------------------------------------------
    @Slot()
    def _on_model_changed(self) -> None:
        self.add_model.setEnabled(not self.model.problem)
        typed = bool(self.model.composed())
        self.model.note.setVisible(True)
        if typed and self.model.problem:
            self.model.note.setText(self.model.problem)
        self._check()

    @Slot()
    def _add_model(self) -> None:
        if self.model.problem:
            return
        name = self.model.name.text().strip()
        _add(self.models, name, self.model.canonical, f"{name}: {self.model.canonical}")
        self.model.clear()
        self.model.set_taken({name for name, _value in _entries(self.models)})
        self._check()

    @Slot()
    def _remove_models(self) -> None:
        self.models.takeItem(self.models.currentRow())
        self.model.set_taken({name for name, _value in _entries(self.models)})
        self._check()

    # -- all -------------------------------------------------------------------------------
    @Slot()
    def _check(self) -> None:
        problem = check_project_path(self.path.path())
        hint = "" if self.images.count() else "Images and models can also be added later."
        if not problem and self.model.composed():
            hint = "The model above is not in the list yet: click “Add this model”."
        self.say(problem, hint)
        for entries in (self.images, self.models):
            entries.setVisible(entries.count() > 0)
            self._removers[id(entries)].setVisible(entries.count() > 0)

    def accept(self) -> None:
        path = self.path.path()
        self._check()
        if path is None or not self.accept_button.isEnabled():
            return
        if path.suffix != PROJECT_SUFFIX:
            path = path.with_name(path.name + PROJECT_SUFFIX)
        self.accept_button.setEnabled(False)
        self.wished.emit(path, self._intake())

    def wait_for(self, workspace: Workspace) -> None:
        """Close once the project is there; stay, with everything typed, if it cannot be made."""
        workspace.open_failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)

    @Slot(object, object)
    def _on_failed(self, problem: Problem, _path: object) -> None:
        self.say_problem(problem)

    @Slot(object)
    def _on_project(self, project: object) -> None:
        if project is not None:
            super().accept()

    def _intake(self) -> tuple[IntakeWish, ...]:
        models = list(_entries(self.models))
        if self.model.composed() and not self.model.problem:
            models.append((self.model.name.text().strip(), self.model.canonical))
        return (
            *(images_wish(name, Path(value)) for name, value in _entries(self.images)),
            *(model_wish(name, value) for name, value in models),
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            path = Path(url.toLocalFile()) if url.isLocalFile() else None
            if path is not None and path.suffix in WEIGHT_SUFFIXES:
                self.model.weights.set_text(str(path))
            elif path is not None:
                self.add_image_folder(str(path))
        event.acceptProposedAction()


def check_project_path(path: Path | None) -> str:
    """What stands in the way of a new project at `path`, or an empty text."""
    if path is None:
        return "Choose where the project file will lie."
    try:
        if path.is_dir():
            return "This is a folder: add a file name."
        target = (
            path if path.suffix == PROJECT_SUFFIX else path.with_name(path.name + PROJECT_SUFFIX)
        )
        if target.exists():
            return f"“{target.name}” exists already: choose another name, or open it."
        if not path.parent.is_dir():
            return "The folder of the project file does not exist."
    except (OSError, ValueError):
        return "The system does not accept this file name."
    return ""


def _entry_list(name: str) -> QListWidget:
    entries = QListWidget()
    entries.setItemDelegate(RoomyRows(entries))
    entries.setAccessibleName(name)
    entries.setMaximumHeight(84)
    entries.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    return entries


def _add(entries: QListWidget, name: str, value: str, text: str) -> None:
    item = QListWidgetItem(text)
    item.setData(_NAME_ROLE, name)
    item.setData(_VALUE_ROLE, value)
    item.setToolTip(text)
    entries.addItem(item)
    entries.setCurrentItem(item)


def _entries(entries: QListWidget) -> list[tuple[str, str]]:
    items = (entries.item(row) for row in range(entries.count()))
    return [(item.data(_NAME_ROLE), item.data(_VALUE_ROLE)) for item in items]
