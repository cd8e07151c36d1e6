"""The pages of a report as they will be printed."""

from __future__ import annotations

import math
from collections import OrderedDict

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.labels import ElidedLabel, wrapped_label
from app.theme import GRID, font

_KEPT = 6  # pages held as pictures; the others are decoded when they come into sight
_PAGE_INCHES = 8.27
_LEAST_PPI, _MOST_PPI, _PPI_STEP = 48, 220, 24
_SCREEN_PPI = 96
_ZOOMS = (("Fit width", 0.0), ("75 %", 0.75), ("100 %", 1.0), ("150 %", 1.5))
_SETTLE_MS = 250


class _Paper(QWidget):
    """All pages under one another; paints those in sight."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: tuple[bytes, ...] = ()
        self._sizes: list[QSize] = []
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()
        self._width = 400
        self.setAccessibleName("Pages of the report")

    def set_pages(self, pages: tuple[bytes, ...]) -> None:
        same = len(pages) == len(self._pages)
        changed = [i for i, page in enumerate(pages) if not same or page != self._pages[i]]
        for place in changed if same else tuple(self._pixmaps):
            self._pixmaps.pop(place, None)
        self._pages = pages
        self._sizes = [_png_size(page) for page in pages]
        self.setAccessibleDescription(f"{len(pages)} pages")
        self._fit()
        self.update()

    def set_width(self, width: int) -> None:
        self._width = max(120, width)
        self._fit()
        self.update()

    def _fit(self) -> None:
        bottom = self._tops()[-1] if self._pages else 0
        self.setFixedSize(self._width, max(1, bottom))

    def _tops(self) -> list[int]:
        """Where each page begins, and at last where the paper ends."""
        tops, y = [], GRID
        for size in self._sizes:
            tops.append(y)
            y += self._height(size) + 2 * GRID
        return [*tops, y]

    def _height(self, size: QSize) -> int:
        return math.ceil(self._width * size.height() / max(1, size.width()))

    @property
    def amount(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def page_at(self, y: int) -> int:
        """The number, from 1 on, of the page at a height."""
        tops = self._tops()[:-1]
        return max(1, sum(top <= y for top in tops))

    def top_of(self, page: int) -> int:
        return self._tops()[max(0, min(page - 1, len(self._pages)))]

    def _pixmap(self, place: int) -> QPixmap:
        if place in self._pixmaps:
            self._pixmaps.move_to_end(place)
            return self._pixmaps[place]
        pixmap = QPixmap.fromImage(QImage.fromData(self._pages[place]))
        self._pixmaps[place] = pixmap
        while len(self._pixmaps) > _KEPT:
            self._pixmaps.popitem(last=False)
        return pixmap

    def paintEvent(self, event: QPaintEvent) -> None:
        tops = self._tops()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setPen(QColor(theme.theme().tokens.border))
            for place, size in enumerate(self._sizes):
                area = QRectF(0, tops[place], self._width, self._height(size))
                if area.toAlignedRect().intersects(event.rect()):
                    pixmap = self._pixmap(place)
                    painter.drawPixmap(area, pixmap, QRectF(pixmap.rect()))
                    painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))


class ReportPages(QWidget):
    """`resolution_changed`: pages of another `pixels_per_inch` are wanted. Setters are silent."""

    resolution_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paper = _Paper()
        self.area = QScrollArea()
        self.area.setWidget(self.paper)
        self.area.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.area.setAccessibleName("Preview of the report")
        self.area.setMinimumWidth(240)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.zoom = QComboBox()
        self.zoom.setAccessibleName("Size of the pages")
        self.zoom.setFont(font("small"))
        for text, factor in _ZOOMS:
            self.zoom.addItem(text, factor)
        self.where = QLabel()
        self.where.setFont(font("small"))
        theme.mute(self.where)
        self.where.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.state = ElidedLabel()
        self.state.setFont(font("small"))
        self.problem = wrapped_label()
        self.problem.setAccessibleName("Why the pages are not up to date")
        self.problem.hide()
        self._asked_ppi = 0.0
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        line = QHBoxLayout()
        line.setSpacing(GRID)
        line.addWidget(self.zoom)
        line.addWidget(self.where)
        line.addWidget(self.state, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(line)
        column.addWidget(self.problem)
        column.addWidget(self.area, 1)
        self.zoom.activated.connect(self._on_zoom)
        self.area.verticalScrollBar().valueChanged.connect(self._say_where)
        self._settle.timeout.connect(self._on_settled)

    def pixels_per_inch(self) -> float:
        """How fine the pages should be for their size on this screen."""
        width = self._page_width() * self.devicePixelRatioF()
        steps = math.ceil(width / _PAGE_INCHES / _PPI_STEP)
        self._asked_ppi = float(min(_MOST_PPI, max(_LEAST_PPI, steps * _PPI_STEP)))
        return self._asked_ppi

    def show_pages(self, pages: tuple[bytes, ...], missing: int = 0) -> None:
        """Show the pages; `missing`: how many figures are still being drawn."""
        self.problem.hide()
        bar = self.area.verticalScrollBar()
        kept = bar.value()
        self.paper.set_pages(pages)
        bar.setValue(kept)
        figures = "figure is" if missing == 1 else "figures are"
        self.state.setText(f"{missing} {figures} still being drawn" if missing else "")
        self._say_where()

    def go_to(self, page: int) -> None:
        """Bring a page, from 1 on, into sight."""
        if 1 <= page <= self.paper.amount:
            self.area.verticalScrollBar().setValue(self.paper.top_of(page) - GRID)

    def show_problem(self, text: str) -> None:
        """Say why the pages are those of before."""
        self.problem.setText(text)
        self.problem.show()
        self.state.setText("")

    def show_working(self) -> None:
        """The pages are being set anew."""
        if not self.state.text():
            self.state.setText("being set…")

    def _page_width(self) -> int:
        factor = float(self.zoom.currentData())
        if factor:
            return round(_PAGE_INCHES * _SCREEN_PPI * factor)
        return max(120, self.area.viewport().width() - 2)

    @Slot()
    def _on_zoom(self) -> None:
        page = self.paper.page_at(self.area.verticalScrollBar().value() + 2 * GRID)
        policy = Qt.ScrollBarPolicy
        self.area.setHorizontalScrollBarPolicy(
            policy.ScrollBarAsNeeded if self.zoom.currentData() else policy.ScrollBarAlwaysOff
        )
        self.paper.set_width(self._page_width())
        self.area.verticalScrollBar().setValue(self.paper.top_of(page) - GRID)
        self._settle.start()

    @Slot()
    def _say_where(self) -> None:
        amount = self.paper.amount
        middle = self.area.verticalScrollBar().value() + self.area.viewport().height() // 3
        self.where.setText(f"page {self.paper.page_at(middle)} of {amount}" if amount else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.paper.set_width(self._page_width())
        self._settle.start()

    @Slot()
    def _on_settled(self) -> None:
        self.paper.set_width(self._page_width())
        asked = self._asked_ppi
        if asked and self.pixels_per_inch() != asked:
            self.resolution_changed.emit()


def _png_size(data: bytes) -> QSize:
    """Width and height out of a PNG's header."""
    return QSize(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
