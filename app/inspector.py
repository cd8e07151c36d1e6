"""The panel at the right: what is in focus, in numbers with their doubt and in words."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.data import ConceptDetail, ConceptPatch
from app import theme
from app.labels import ElidedLabel, wrapped_label
from app.project_index import ImageFacts
from app.widgets.image_source import ImageSource
from app.widgets.quantities import significant
from app.words import concept_readings, concept_title, similarity_sentence

_HINT = "Click a concept in a plot, a table or a grid: its numbers and images are shown here."


class Inspector(QScrollArea):
    """Shows the concept and the image in focus."""

    image_activated = Signal(int)  # double click or Enter on the image

    def __init__(self, source: ImageSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = wrapped_label()
        self.title.setFont(theme.font("title", bold=True))
        self.hint = wrapped_label(_HINT, muted=True)
        self.sentence = wrapped_label()
        self.numbers = QWidget()
        self.image = OutlinedImage(source)
        self.caption = wrapped_label(muted=True)
        self.place = ElidedLabel(mode=Qt.TextElideMode.ElideLeft)
        self._form = QFormLayout(self.numbers)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(theme.PADDING)
        self._detail: ConceptDetail | None = None
        self.image.activated.connect(self.image_activated)
        self._build()
        self.show_concept(None)
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
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(content)

    def show_concept(self, detail: ConceptDetail | None) -> None:
        """Show a concept's numbers, or the hint without one."""
        self._detail = detail
        self.hint.setVisible(detail is None)
        for widget in (self.title, self.sentence, self.numbers):
            widget.setVisible(detail is not None)
        self._clear_form()
        if detail is None:
            return
        self.title.setText(concept_title(detail))
        self.sentence.setText(similarity_sentence(detail))
        for reading in concept_readings(detail):
            name = QLabel(reading.name)
            name.setProperty("muted", "true")
            value = wrapped_label(reading.value)
            value.setFont(theme.font("body", tabular=True))
            value.setAccessibleName(f"{reading.name}: {reading.value}")
            for label in (name, value):
                label.setToolTip(f"<p>{reading.meaning}</p>")
            self._form.addRow(name, value)

    def show_image(self, facts: ImageFacts | None, patch: ConceptPatch | None) -> None:
        """Show a whole image with the patch outlined."""
        for widget in (self.image, self.caption, self.place):
            widget.setVisible(facts is not None)
        if facts is None:
            self.image.show_image(None, None, "#FFFFFF")
            return
        kind = theme.PATCH_KINDS.get(patch.kind) if patch is not None else None
        box = (patch.x, patch.y, patch.width, patch.height) if patch is not None else None
        self.image.show_image(facts, box, kind.colour if kind else theme.MODEL_COLOURS["a"])
        lines = [f"{facts.label or facts.image_set} · {facts.width} × {facts.height} px"]
        if patch is not None and kind is not None:
            lines.insert(
                0,
                f"{kind.sign} {kind.word}, rank {patch.rank + 1}: "
                f"coefficient {significant(patch.coefficient)},"
                f" predicted {significant(patch.predicted)}",
            )
        self.caption.setText("\n".join(lines))
        self.place.setText(facts.path)

    def _clear_form(self) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)


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
            pixmap = self._source.request(self._facts.id, None, -(-wanted // 128) * 128)
            target = self._target()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._paint_picture(painter, pixmap, target)
            self._paint_box(painter, target)

    def _target(self) -> QRectF:
        assert self._facts is not None
        scale = min(self.width() / self._facts.width, self.height() / self._facts.height)
        width, height = self._facts.width * scale, self._facts.height * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _paint_picture(self, painter: QPainter, pixmap: QPixmap | None, target: QRectF) -> None:
        if pixmap is not None:
            painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))
            return
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(target, Qt.AlignmentFlag.AlignCenter, "The image is not at hand.")

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
