"""The panel at the right: what is in focus, in numbers with their doubt and in words."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.data import ConceptDetail, ConceptPatch
from analysis.figures.unit_data import UnitDetail, UnitPatch
from app import theme
from app.labels import ElidedLabel, wrapped_label
from app.project_index import ImageFacts, ModelEntry
from app.views.away_bar import AwayBar
from app.widgets.image_source import ImageSource
from app.widgets.quantities import significant
from app.words import (
    Chosen,
    Reading,
    concept_readings,
    concept_title,
    model_readings,
    models_sentence,
    models_title,
    similarity_sentence,
    unit_place,
    unit_readings,
    unit_title,
)

_HINTS = {
    "concept": "Click a concept in a plot, a table or a grid: its numbers and images are here.",
    "unit": "Click a unit in the table or in the grid: its numbers and images are here.",
    "image": "Click a map in the grid: its image is here.",
    "chosen": "Click a cell or a bar of a figure: its numbers and what they mean are here.",
    "layers": "Click a cell of the heatmap: what both layers have in common is here.",
    "models": "Select models in a plot, a table or the list of the project: they are here.",
    "nothing": "What you click in a view is explained here, with its numbers and images.",
}
_SUBJECTS = {
    "welcome": "nothing",
    "report": "nothing",
    "units": "unit",
    "embedding": "models",
    "layers": "layers",
    "saliency": "image",
    "semantics": "chosen",
}  # of perspectives; others: concept

_Picture = tuple[ImageFacts | None, ConceptPatch | UnitPatch | None]


class Inspector(QScrollArea):
    """Shows the concept, the unit or the models in focus, and the image."""

    image_activated = Signal(int)  # double click or Enter on the image
    saliency_wished = Signal(int)  # where do the models look in it?
    record_wished = Signal()  # a finding, of what is shown
    relocation_wished = Signal()  # the original is not at hand: where are the images?

    def __init__(self, source: ImageSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = wrapped_label()
        self.title.setFont(theme.font("title", bold=True))
        self.hint = wrapped_label(muted=True)
        self.sentence = wrapped_label()
        self.numbers = QWidget()
        self.image = OutlinedImage(source)
        self.caption = wrapped_label(muted=True)
        self.place = ElidedLabel(mode=Qt.TextElideMode.ElideLeft)
        self.look = QPushButton("Where do the models look?")
        self.look.setToolTip("Show the maps of this image; without any, explain it at once")
        self.away = AwayBar(narrow=True)
        self.away.relocate.clicked.connect(self.relocation_wished)
        self.record = QPushButton("✎ Record finding…")
        self.record.setToolTip("Write down what you have found here; the view comes back with it")
        self._facts: ImageFacts | None = None
        self._form = QFormLayout(self.numbers)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(theme.PADDING)
        self._subject = "concept"
        self._titled = False  # whether something of the subject is in focus
        self._picture: _Picture = (None, None)  # the image in focus, and its patch
        self._examples: dict[str, _Picture] = {}  # by subject, for want of an image in focus
        self._concept: ConceptDetail | None = None
        self._unit: UnitDetail | None = None
        self._models: tuple[ModelEntry, ...] = ()
        self._chosen: dict[str, Chosen | None] = {}  # by subject
        self._compare_keys = "The menu Audit"
        self.image.activated.connect(self.image_activated)
        self.look.clicked.connect(self._look)
        self.record.clicked.connect(self.record_wished)
        self._build()
        self._show_subject()
        self.show_image(None, None)

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.PADDING, theme.PADDING, theme.PADDING, theme.PADDING)
        column.setSpacing(theme.GRID)
        for widget in (
            self.hint,
            self.title,
            self.sentence,
            self.numbers,
            self.image,
            self.caption,
            self.place,
            self.away,
            self.look,
            self.record,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(content)

    # -- setters -------------------------------------------------------------------------------
    def set_subject(self, perspective: str) -> None:
        """Show what a perspective is about."""
        self._subject = _SUBJECTS.get(perspective, "concept")
        self._show_subject()
        self._show_picture()

    def set_recording(self, possible: bool) -> None:
        """Whether a finding can be written down."""
        self.record.setEnabled(possible)

    def set_compare_keys(self, keys: str) -> None:
        """The shortcut that compares two models, as it is written here."""
        self._compare_keys = keys

    def show_concept(self, detail: ConceptDetail | None) -> None:
        """The concept in focus, or none."""
        self._concept = detail
        self._show_subject()

    def show_unit(self, detail: UnitDetail | None) -> None:
        """The unit in focus, or none."""
        self._unit = detail
        self._show_subject()

    @Slot(object)
    def show_chosen(self, chosen: Chosen | None) -> None:
        """What is chosen among the things alike by meaning, or none."""
        self._chosen["chosen"] = chosen
        self._show_subject()

    @Slot(object)
    def show_layers(self, chosen: Chosen | None) -> None:
        """The pair of layers under the crosshair, or none."""
        self._chosen["layers"] = chosen
        self._show_subject()

    def show_models(self, models: tuple[ModelEntry, ...]) -> None:
        """The models selected."""
        self._models = models
        self._show_subject()

    def _show_subject(self) -> None:
        if self._subject == "unit" and self._unit is not None:
            unit = self._unit
            self._show(unit_title(unit), unit_place(unit), unit_readings(unit))
        elif self._subject == "models" and self._models:
            sentence = models_sentence(self._models, self._compare_keys)
            self._show(models_title(self._models), sentence, model_readings(self._models))
        elif (chosen := self._chosen.get(self._subject)) is not None:
            self._show(chosen.title, chosen.sentence, chosen.readings)
        elif self._subject == "concept" and self._concept is not None:
            concept = self._concept
            self._show(
                concept_title(concept), similarity_sentence(concept), concept_readings(concept)
            )
        else:
            self._show("", "", ())

    def _show(self, title: str, sentence: str, readings: Sequence[Reading]) -> None:
        self.hint.setText(_HINTS[self._subject])
        self._titled = bool(title)
        self._show_hint()
        for label, text in ((self.title, title), (self.sentence, sentence)):
            label.setText(text)
            label.setVisible(bool(text))
        self.numbers.setVisible(bool(readings))
        while self._form.rowCount():
            self._form.removeRow(0)
        for reading in readings:
            name = QLabel(reading.name)
            theme.mute(name)
            value = wrapped_label(reading.value)
            value.setFont(theme.font("body", tabular=True))
            value.setAccessibleName(f"{reading.name}: {reading.value}")
            for label in (name, value):
                label.setToolTip(f"<p>{html.escape(reading.meaning)}</p>")
            self._form.addRow(name, value)

    def show_image(self, facts: ImageFacts | None, patch: ConceptPatch | UnitPatch | None) -> None:
        """Show a whole image with the patch outlined."""
        self._picture = (facts, patch)
        self._show_picture()

    @Slot(str, object, object)
    def show_example(
        self, subject: str, facts: ImageFacts | None, patch: ConceptPatch | UnitPatch | None
    ) -> None:
        """What to show of a "concept" or "unit" while no image is in focus."""
        self._examples[subject] = (facts, patch)
        self._show_picture()

    def _show_picture(self) -> None:
        facts, patch = self._picture
        if facts is None:
            facts, patch = self._examples.get(self._subject, (None, None))
        if self._subject == "nothing":
            facts = patch = None
        self._facts = facts
        for widget in (self.image, self.caption, self.place):
            widget.setVisible(facts is not None)
        self.away.setVisible(facts is not None and not facts.there)
        self._show_buttons()
        if facts is None:
            self.image.show_image(None, None, "#FFFFFF")
            return
        box = (patch.x, patch.y, patch.width, patch.height) if patch is not None else None
        self.image.show_image(facts, box, _outline(patch))
        lines = [f"{facts.label or facts.image_set} · {facts.width} × {facts.height} px"]
        if patch is not None:
            lines.insert(0, _patch_line(patch))
        self.caption.setText("\n".join(lines))
        self.place.setText(facts.path)

    def _show_buttons(self) -> None:
        """Where maps are shown already, nobody needs the way to them."""
        self.look.setVisible(self._facts is not None and self._subject != "image")
        self._show_hint()

    def _show_hint(self) -> None:
        there = self._facts is not None if self._subject == "image" else self._titled
        self.hint.setVisible(not there)

    @Slot()
    def _look(self) -> None:
        if self._facts is not None:
            self.saliency_wished.emit(self._facts.id)


def _outline(patch: ConceptPatch | UnitPatch | None) -> str:
    kind = theme.PATCH_KINDS.get(patch.kind) if isinstance(patch, ConceptPatch) else None
    return kind.colour if kind is not None else theme.MODEL_COLOURS["a"]


def _patch_line(patch: ConceptPatch | UnitPatch) -> str:
    if isinstance(patch, UnitPatch):
        return f"rank {patch.rank + 1}: peak activation {significant(patch.activation)}"
    kind = theme.PATCH_KINDS[patch.kind]
    return (
        f"{kind.sign} {kind.word}, rank {patch.rank + 1}: "
        f"coefficient {significant(patch.coefficient)},"
        f" predicted {significant(patch.predicted)}"
    )


class OutlinedImage(QWidget):
    """An image on neutral grey, with one box outlined."""

    activated = Signal(int)

    def __init__(self, source: ImageSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._facts: ImageFacts | None = None
        self._box: tuple[int, int, int, int] | None = None
        self._colour = QColor("#FFFFFF")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        source.ready.connect(self._on_ready)

    def show_image(
        self,
        facts: ImageFacts | None,
        box: tuple[int, int, int, int] | None,
        colour: str,
    ) -> None:
        self._facts, self._box, self._colour = facts, box, QColor(colour)
        self.setAccessibleName(f"Image {facts.path}" if facts is not None else "No image")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def heightForWidth(self, width: int) -> int:
        if self._facts is None or self._facts.width <= 0 or self._facts.height <= 0:
            return 0
        return min(max(40, round(width * self._facts.height / self._facts.width)), 480)

    @Slot(int)
    def _on_ready(self, image: int) -> None:
        if self._facts is not None and self._facts.id == image:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._facts is None:
            return
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(theme.IMAGE_MAT))
            wanted = math.ceil(max(self.width(), self.height()) * self.devicePixelRatioF())
            wanted = -(-wanted // 128) * 128
            pixmap = self._source.request(self._facts.id, None, wanted)
            target = self._target()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._paint_picture(painter, pixmap, target, wanted)
            self._paint_box(painter, target)

    def _target(self) -> QRectF:
        assert self._facts is not None
        scale = min(self.width() / self._facts.width, self.height() / self._facts.height)
        width, height = self._facts.width * scale, self._facts.height * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _paint_picture(
        self, painter: QPainter, pixmap: QPixmap | None, target: QRectF, side: int
    ) -> None:
        if pixmap is not None:
            painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))
            return
        assert self._facts is not None
        pending = getattr(self._source, "pending", None)  # not every source answers later
        reading = pending is not None and pending(self._facts.id, None, side)
        text = "The image is being read …" if reading else "The image is not at hand."
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(target, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_box(self, painter: QPainter, target: QRectF) -> None:
        if self._box is None or self._facts is None:
            return
        scale = target.width() / self._facts.width
        x, y, width, height = (value * scale for value in self._box)
        outline = QRectF(target.x() + x, target.y() + y, width, height)
        # A dark line outside of the coloured one keeps it visible on any picture.
        painter.setPen(QPen(QColor(0, 0, 0, 170), 4))
        painter.drawRect(outline)
        painter.setPen(QPen(self._colour, 2))
        painter.drawRect(outline)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._facts is not None:
            self.activated.emit(self._facts.id)
