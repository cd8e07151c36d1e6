"""Makes a slice of the images: by class, by what models answer, of what is selected, by name."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QWidget,
)

from analysis.errors import AuditError
from analysis.figures.agreement import PARTS
from analysis.figures.slice_making import ChosenImages, OfAgreement, OfClasses, OfImages, OfNames
from analysis.figures.words import count, shorten
from app import reversible
from app.dialogs.form import FormDialog
from app.problems import Problem
from app.project_edits import clean_name
from app.slice_making import SliceOffer
from app.widgets.roomy_rows import RoomyRows
from app.workspace import Workspace

_COUNT = "count the images of a slice"
_ADD = "add slice"
_NO_LABEL = "without a label"
_KINDS = {
    "class": "their class",
    "agreement": "what two models answer",
    "selected": "what is selected here",
    "names": "their file names",
}
_PARTS = {
    "both right": "both models are right",
    "both wrong": "both models are wrong",
    "only A right": "only A is right",
    "only B right": "only B is right",
    "agree": "both give the same answer",
    "disagree": "the answers differ",
}
_NONE = {
    "class": "Tick at least one class.",
    "agreement": "No image is like this.",
    "selected": "None of these images is in the project.",
    "names": "Type a part of the file names; * stands for anything, ? for one sign.",
}


class SliceDialog(FormDialog):
    """How the images are chosen, how many they are, and what the slice is called."""

    added = Signal(int)  # id of the slice

    def __init__(
        self, workspace: Workspace, offer: SliceOffer, parent: QWidget | None = None
    ) -> None:
        super().__init__("New slice of the images", "Make slice", parent)
        self._workspace = workspace
        self._offer = offer
        self._found: ChosenImages | None = None
        self._problem = ""
        self._named_by_user = False
        index = workspace.index
        self._taken = frozenset(one.name for one in index.slices) if index is not None else set()
        self._sets = index.image_sets if index is not None else ()
        self.kind = _combo("What the images are chosen by")
        self.image_set = _combo("Image set")
        self.classes = QListWidget()
        self.classes.setItemDelegate(RoomyRows(self.classes))
        self.classes.setAccessibleName("Classes")
        self.classes.setMinimumHeight(150)
        self.task = _combo("Task and run whose answers count")
        self.model_a = _combo("Model A")
        self.model_b = _combo("Model B")
        self.part = _combo("What they answer")
        self.selected = _combo("What is selected")
        self.pattern = _line("Part of the file names")
        self.count = QLabel()
        self.count.setAccessibleName("Images of the slice")
        self.name = _line("Name of the slice")
        self._fill()
        self._build()
        self._connect()
        self._show_kind()

    # -- building ------------------------------------------------------------------------------
    def _fill(self) -> None:
        sources = self._offer.sources
        possible = {
            "selected": bool(self._offer.selected),
            "class": any(label for _, label, _ in sources.labels),
            "agreement": any(len(one.models) > 1 for one in sources.predictions),
            "names": True,
        }
        for kind in ("selected", "class", "agreement", "names"):
            if possible[kind]:
                self.kind.addItem(_KINDS[kind], kind)
        if len(self._sets) > 1:
            self.image_set.addItem("all image sets", None)
        for one in self._sets:
            self.image_set.addItem(one.name, one.id)
        for choice in sources.predictions:
            if len(choice.models) > 1:
                self.task.addItem(f"{choice.task} · {choice.run_name}", choice)
        for part in PARTS:
            self.part.addItem(_PARTS[part], part)
        self.part.setCurrentIndex(PARTS.index("disagree"))
        for each in self._offer.selected:
            self.selected.addItem(f"images of {each.text}", each)
        self._fill_classes()
        self._fill_models()

    def _fill_classes(self) -> None:
        amounts: dict[str, int] = {}
        image_set = self.image_set.currentData()
        for number, label, images in self._offer.sources.labels:
            if image_set in (None, number):
                amounts[label] = amounts.get(label, 0) + images
        self.classes.clear()
        for label, images in sorted(amounts.items()):
            item = QListWidgetItem(f"{label or _NO_LABEL}  ({images:,})")
            item.setData(Qt.ItemDataRole.UserRole, label)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                          | Qt.ItemFlag.ItemIsUserCheckable)  # fmt: skip
            item.setCheckState(Qt.CheckState.Unchecked)
            self.classes.addItem(item)

    def _fill_models(self) -> None:
        choice, now = self.task.currentData(), self._workspace.session.snapshot
        models = choice.models if choice is not None else ()
        for place, (combo, shown) in enumerate(
            ((self.model_a, now.model_a), (self.model_b, now.model_b))
        ):
            before = combo.currentText() or shown or ""
            combo.clear()
            combo.addItems(models)
            combo.setCurrentIndex(models.index(before) if before in models else place)
        if self.model_a.currentIndex() == self.model_b.currentIndex() and len(models) > 1:
            self.model_b.setCurrentIndex((self.model_a.currentIndex() + 1) % len(models))

    def _build(self) -> None:
        self.rows: dict[str, tuple[QWidget, ...]] = {
            "class": (self.image_set, self.classes),
            "agreement": (self.task, self.model_a, self.model_b, self.part),
            "selected": (self.selected,),
            "names": (self.image_set, self.pattern),
        }
        self.form.addRow("Images by", self.kind)
        self.form.addRow("Image set", self.image_set)
        self.form.addRow("Classes", self.classes)
        self.form.addRow("Answers in", self.task)
        self.form.addRow("Model A", self.model_a)
        self.form.addRow("Model B", self.model_b)
        self.form.addRow("Where", self.part)
        self.form.addRow("Selected", self.selected)
        self.form.addRow("Names with", self.pattern)
        self.form.addRow("", self.count)
        self.form.addRow("Name", self.name)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(self._show_kind)
        self.image_set.currentIndexChanged.connect(self._on_image_set)
        self.classes.itemChanged.connect(self._changed)
        self.task.currentIndexChanged.connect(self._on_task)
        for combo in (self.model_a, self.model_b, self.part):
            combo.activated.connect(self._changed)
        self.selected.currentIndexChanged.connect(self._changed)
        self.pattern.textChanged.connect(self._changed)
        self.name.textEdited.connect(self._on_name)
        self._workspace.loader.failed.connect(self._on_failed)
        self._workspace.project_changed.connect(self._on_project)

    # -- following the user ----------------------------------------------------------------------
    @Slot()
    def _show_kind(self) -> None:
        kind = self.kind.currentData()
        for widget in dict.fromkeys(each for row in self.rows.values() for each in row):
            shown = widget in self.rows[kind]
            if widget is self.image_set:
                shown = shown and len(self._sets) > 1
            self.form.setRowVisible(widget, shown)
        self._changed()

    @Slot()
    def _on_image_set(self) -> None:
        self._fill_classes()
        self._changed()

    @Slot()
    def _on_task(self) -> None:
        self._fill_models()
        self._changed()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self._check()

    def _labels(self) -> tuple[str, ...]:
        items = [self.classes.item(row) for row in range(self.classes.count())]
        return tuple(
            item.data(Qt.ItemDataRole.UserRole)
            for item in items
            if item.checkState() == Qt.CheckState.Checked
        )

    def recipe(self) -> Any:
        """How the images are chosen; None while that is not said."""
        kind = self.kind.currentData()
        if kind == "class":
            labels = self._labels()
            return OfClasses(labels, self.image_set.currentData()) if labels else None
        if kind == "names":
            text = self.pattern.text().strip()
            return OfNames(text, self.image_set.currentData()) if text else None
        if kind == "selected":
            each = self.selected.currentData()
            return OfImages(each.images, f"images of {each.text}") if each is not None else None
        choice, part = self.task.currentData(), self.part.currentData()
        a, b = self.model_a.currentText(), self.model_b.currentText()
        if choice is None or not a or not b or a == b:
            return None
        return OfAgreement(choice.run, choice.task, a, b, part)

    def _suggestion(self) -> str:
        kind = self.kind.currentData()
        if kind == "class":
            return ", ".join(label or _NO_LABEL for label in self._labels())
        if kind == "names":
            return self.pattern.text().strip()
        if kind == "selected":
            return self.selected.currentText()
        part = self.part.currentData()
        a, b = self.model_a.currentText(), self.model_b.currentText()
        words = {"only A right": f"only {a} right", "only B right": f"only {b} right"}
        return words.get(part, f"{part}: {a}, {b}")

    @Slot()
    def _changed(self) -> None:
        """Ask how many images there are now; the answer to an older question is dropped."""
        if not self._named_by_user:
            self.name.setText(_free(shorten(self._suggestion(), 80), self._taken))
        self._found, self._problem = None, ""
        recipe, project = self.recipe(), self._workspace.project
        if recipe is None or project is None:
            self._workspace.loader.forget(_COUNT)
            self.count.setText("No images yet")
        else:
            read = self._workspace.backend.chosen_images
            self._workspace.loader.load(_COUNT, read, project, recipe, then=self._show_count)
        self._check()

    def _show_count(self, found: ChosenImages) -> None:
        self._found = found
        self.count.setText(count(len(found.images), "image"))
        self._check()

    def _check(self) -> None:
        kind = self.kind.currentData()
        problem, waiting = self._problem, False
        same = kind == "agreement" and self.model_a.currentText() == self.model_b.currentText()
        if problem:
            pass
        elif same:
            problem = "Choose two different models."
        elif self.recipe() is None:
            problem = _NONE[kind]
        elif self._found is None:
            waiting = True
        elif not self._found.images:
            problem = "No image fits." if kind == "names" else _NONE[kind]
        else:
            try:
                clean_name(self.name.text(), frozenset(self._taken))
            except AuditError as error:
                problem = str(error)
        self.say(problem)
        if waiting:
            self.accept_button.setEnabled(False)

    # -- making it -------------------------------------------------------------------------------
    def accept(self) -> None:
        self._check()
        if self._found is None or not self.accept_button.isEnabled():
            return
        self.accept_button.setEnabled(False)
        name, found = clean_name(self.name.text()), self._found
        step = partial(reversible.add_slice, name, found.images, found.origin, None, "")
        self._workspace.undo.do(_ADD, step, self._on_added, self.say_problem)

    def _on_added(self, number: int) -> None:
        self.added.emit(number)
        super().accept()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _COUNT:
            self._problem = problem.text
            self._check()

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


def _free(name: str, taken: Any) -> str:
    """The name, with a number where it is taken."""
    found, number = name, 2
    while found and found in taken:
        found, number = f"{name} {number}", number + 1
    return found


def _line(name: str) -> QLineEdit:
    edit = QLineEdit()
    edit.setMaxLength(200)
    edit.setAccessibleName(name)
    return edit


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(24)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo
