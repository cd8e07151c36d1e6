"""Making images with a planted concept: which concept, into which images, how many, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLineEdit, QSpinBox, QWidget

from app.dialogs.form import FormDialog, PathField
from app.labels import wrapped_label
from app.problems import Problem
from app.workspace import Workspace

_READ = "read what can be planted"
_HELP = (
    "The concept is pasted into a share of the images: a label cut out of others, or a pattern."
    " The rest get a piece of another image in the same outline. Images and masks are"
    " written into a new folder and added to this project, so that audits can be held against"
    " what is known to be there."
)


@dataclass(frozen=True)
class PlantingWish:
    """What was filled in; `share` between 0 and 1."""

    name: str
    concept: str
    image_set: int
    images: int
    share: float
    folder: Path


class PlantingDialog(FormDialog):
    """Says what is wished; the images are then made as a job."""

    wished = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__("Plant a concept", "Make the images", parent)
        self._workspace = workspace
        self._index = workspace.index
        self._named_by_user = False
        self.image_set = QComboBox()
        self.image_set.setAccessibleName("Images to paste into")
        for entry in self._index.image_sets if self._index is not None else ():
            self.image_set.addItem(f"{entry.name} ({entry.images:,} images)", entry.id)
        self.concept = QComboBox()
        self.concept.setAccessibleName("Concept to paste")
        self.concept.setMaxVisibleItems(20)
        self.images = _number(2, 1_000_000, 200, " images", "Images at most")
        self.share = _number(1, 99, 50, " %", "Share of the images with the concept, in per cent")
        self.folder = PathField("new folder", "save")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Name of the image set and its label planes")
        for label, field in (
            ("Images", self.image_set),
            ("Concept", self.concept),
            ("At most", self.images),
            ("With the concept", self.share),
            ("New folder", self.folder),
            ("Name", self.name),
        ):
            self.form.addRow(label, field)
        self.form.addRow(wrapped_label(_HELP, muted=True))
        self.image_set.currentIndexChanged.connect(self._read)
        self.concept.currentIndexChanged.connect(self._on_concept)
        self.folder.changed.connect(self.check)
        self.name.textEdited.connect(self._on_name)
        workspace.loader.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self._read()

    def wish(self) -> PlantingWish | None:
        """What was filled in, if nothing stands in the way."""
        folder, concept = self.folder.path(), self.concept.currentData()
        if self.problem() or folder is None or concept is None:
            return None
        return PlantingWish(
            self.name.text().strip(),
            concept,
            self.image_set.currentData(),
            self.images.value(),
            self.share.value() / 100,
            folder,
        )

    def problem(self) -> str:
        """What stands in the way, or an empty text."""
        name, folder = self.name.text().strip(), self.folder.path()
        if self.concept.currentData() is None:
            return "Looking for labels …"
        if folder is None:
            return "Choose a new folder for the images."
        if _in_use(folder):
            return "This folder is in use: choose a new one, or an empty one."
        if not name:
            return "Give the new images a name."
        if name in self._taken():
            return f"“{name}” is already in this project: choose another name."
        return ""

    @Slot()
    def check(self) -> None:
        """Say what stands in the way."""
        self.say(self.problem())

    def accept(self) -> None:
        wish = self.wish()
        if wish is None:
            self.check()
            return
        self.wished.emit(wish)
        super().accept()

    def _taken(self) -> set[str]:
        if self._index is None:
            return set()
        sets, labels = self._index.image_sets, self._index.labels
        return {entry.name for entry in sets} | {entry.name for entry in labels}

    @Slot()
    def _read(self) -> None:
        project = self._workspace.project
        if project is not None and self.image_set.currentData() is not None:
            self.concept.clear()
            self._workspace.loader.load(
                _READ,
                self._workspace.backend.plantable,
                project,
                self.image_set.currentData(),
                then=self._show,
            )
        self.check()

    def _show(self, found: tuple[tuple[str, ...], ...]) -> None:
        """Labels, then patterns; the signs of categories are not theirs."""
        labels, patterns = found
        self.concept.clear()
        for label in labels:
            self.concept.addItem(label, label)
        if labels:
            self.concept.insertSeparator(self.concept.count())
        for pattern in patterns:
            if pattern not in labels:
                self.concept.addItem(f"{pattern} (a pattern)", pattern)
        self._on_concept()

    @Slot()
    def _on_concept(self) -> None:
        concept = self.concept.currentData()
        if concept is not None and not self._named_by_user:
            name, number = f"planted {concept}", 2
            while name in self._taken():
                name, number = f"planted {concept} {number}", number + 1
            self.name.setText(name)
        self.check()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self.check()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _READ:
            self.say(problem.text)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


def _number(least: int, most: int, value: int, suffix: str, name: str) -> QSpinBox:
    field = QSpinBox()
    field.setRange(least, most)
    field.setValue(value)
    field.setSuffix(suffix)
    field.setGroupSeparatorShown(True)
    field.setAccessibleName(name)
    field.setAlignment(Qt.AlignmentFlag.AlignLeft)
    return field


def _in_use(folder: Path) -> bool:
    """Whether something is there already; also where the system refuses to look."""
    try:
        return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except (OSError, ValueError):
        return True
