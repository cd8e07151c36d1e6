"""Patches become a concept, or are added to one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QWidget

from analysis.errors import AuditError
from analysis.figures.semantics_data import ConceptSetInfo
from analysis.figures.words import count
from app import reversible
from app.concept_examples import BoxChoice, ExampleOffer
from app.dialogs.form import FormDialog
from app.labels import wrapped_label
from app.project_edits import clean_name
from app.workspace import Workspace

_NEW = "a new concept"
_ROLES = {
    "positive": "examples: they show the concept",
    "negative": "negatives: they do not show it",
}
_TAKES = {"patches": ("positive", "negative"), "folder": ("negative",)}  # roles by kind
_HELP = "A concept needs examples of at least 6 images before models can be compared by it."


class SaveConceptDialog(FormDialog):
    """Which patches, of which concept, and whether they show it."""

    saved = Signal(str, int)  # name of the concept, patches that are new to it

    def __init__(
        self, workspace: Workspace, offer: ExampleOffer, parent: QWidget | None = None
    ) -> None:
        super().__init__("Save as concept", "Save", parent)
        self._workspace = workspace
        self._offer = offer
        self._named_by_user = False
        self._usable = [one for one in offer.sets if one.kind in _TAKES]
        self.patches = _combo("Patches")
        self.concept = _combo("Concept that they are added to")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Name of the new concept")
        self.role = _combo("What they are")
        for choice in offer.choices:
            self.patches.addItem(choice.text)
        self.concept.addItem(_NEW)
        for info in self._usable:
            self.concept.addItem(info.name)
        self.form.addRow("Patches", self.patches)
        self.form.addRow("Concept", self.concept)
        self.form.addRow("Name", self.name)
        self.form.addRow("As", self.role)
        self.form.addRow(wrapped_label(_HELP, muted=True))
        self.patches.currentIndexChanged.connect(self._on_patches)
        self.concept.currentIndexChanged.connect(self._on_concept)
        self.name.textEdited.connect(self._on_name)
        workspace.project_changed.connect(self._on_project)
        self._on_concept()
        self._on_patches()

    def chosen(self) -> BoxChoice:
        """The patches chosen."""
        return self._offer.choices[self.patches.currentIndex()]

    def chosen_set(self) -> ConceptSetInfo | None:
        """The concept that they are added to, None for a new one."""
        place = self.concept.currentIndex() - 1
        return self._usable[place] if place >= 0 else None

    @Slot()
    def _on_patches(self) -> None:
        if not self._named_by_user:
            taken = {one.name for one in self._offer.sets}
            name = self.chosen().name
            self.name.setText("" if name in taken else name)
        self._check()

    @Slot()
    def _on_concept(self) -> None:
        info = self.chosen_set()
        self.form.setRowVisible(self.name, info is None)
        self.role.clear()
        for role in ("positive",) if info is None else _TAKES[info.kind]:
            self.role.addItem(_ROLES[role], role)
        self.role.setEnabled(self.role.count() > 1)
        self._check()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self._check()

    def _check(self) -> None:
        problem = ""
        if self.chosen_set() is None:
            try:
                clean_name(self.name.text(), frozenset(one.name for one in self._offer.sets))
            except AuditError as error:
                problem = str(error)
        self.say(problem)

    def accept(self) -> None:
        info, boxes = self.chosen_set(), self.chosen().boxes
        self._check()
        if self._workspace.project is None or not self.accept_button.isEnabled():
            return
        self.accept_button.setEnabled(False)
        if info is None:
            text, step = "add concept", partial(reversible.save_as_concept, self.name.text(), boxes)
        else:
            text = f"add {count(len(boxes), 'example')}"
            step = partial(reversible.add_examples, info.id, boxes, self.role.currentData())
        self._workspace.undo.do(text, step, self._on_saved, self.say_problem)

    def _on_saved(self, new: int) -> None:
        info = self.chosen_set()
        self.saved.emit(clean_name(self.name.text()) if info is None else info.name, new)
        super().accept()

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(24)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo
