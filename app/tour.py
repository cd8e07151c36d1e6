"""The guided tour: a small panel that walks from control to control and never stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import settings, theme
from app.labels import wrapped_label
from app.tour_steps import part_of_window, tour_steps

if TYPE_CHECKING:
    from app.main_window import MainWindow

_WIDTH = 340
_GAP = 10  # pixels between the panel and what it points at
_EDGE = 12  # pixels that stay free at the edge of the window
_FOLLOW_MS = 200  # views change their size while they are filled


class Tour(QObject):
    """Shows one step after another; remembers where it was closed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._step: int | None = None
        self._panel: TourPanel | None = None
        self._frame: TourFrame | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_FOLLOW_MS)
        self._timer.timeout.connect(self._place)

    @property
    def step(self) -> int | None:
        """The place of the step on the screen, None while there is no tour."""
        return self._step

    @property
    def panel(self) -> TourPanel | None:
        """The panel on the screen."""
        return self._panel

    def begin(self) -> None:
        """Start, or go on where it was closed; without a project the sample is opened first."""
        if self._window.workspace.project is None:
            self._window.commands.open_sample()
        left_at = settings.tour_step()
        self.go_to(left_at if left_at < len(tour_steps()) else 0)

    def go_to(self, number: int) -> None:
        """Show a step."""
        steps = tour_steps()
        self._step = min(max(number, 0), len(steps) - 1)
        step = steps[self._step]
        if self._panel is None:
            self._make()
        assert self._panel is not None
        self._window.show_perspective(step.perspective)
        last = self._step == len(steps) - 1
        self._panel.show_step(
            step.title, step.text, f"{self._step + 1} of {len(steps)}", self._step > 0, last
        )
        settings.set_tour_step(self._step)
        self._timer.start()
        self._place()
        self._panel.next.setFocus()

    @Slot()
    def back(self) -> None:
        """The step before."""
        if self._step is not None:
            self.go_to(self._step - 1)

    @Slot()
    def next(self) -> None:
        """The step after; the end after the last one."""
        if self._step is None:
            return
        if self._step + 1 >= len(tour_steps()):
            settings.set_tour_step(0)
            self._end()
        else:
            self.go_to(self._step + 1)

    @Slot()
    def close(self) -> None:
        """End here; the tour goes on from this step another time."""
        self._end()

    def _make(self) -> None:
        self._frame = TourFrame(self._window)
        self._panel = TourPanel(self._window)
        self._panel.back_wished.connect(self.back)
        self._panel.next_wished.connect(self.next)
        self._panel.close_wished.connect(self.close)
        self._window.installEventFilter(self)

    def _end(self) -> None:
        self._timer.stop()
        self._window.removeEventFilter(self)
        self._step = None
        for part in (self._panel, self._frame):
            if part is not None:
                part.hide()
                part.deleteLater()
        self._panel = self._frame = None
        self._window.setFocus()

    # -- where it stands -----------------------------------------------------------------------
    @Slot()
    def _place(self) -> None:
        if self._step is None or self._panel is None or self._frame is None:
            return
        steps = tour_steps()
        if self._window.perspective != steps[self._step].perspective:
            self._frame.hide()  # its control is not on the screen; the panel waits
            return
        part = part_of_window(self._window, steps[self._step])
        target = QRect(part.mapTo(self._window, QPoint(0, 0)), part.size())
        self._frame.point_at(target)
        self._panel.adjustSize()
        size = self._panel.size()
        low = steps[self._step].align == "bottom"
        self._panel.move(free_place(self._window.rect(), target, size, low))
        for widget in (self._frame, self._panel):
            widget.show()
            widget.raise_()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False


def free_place(window: QRect, target: QRect, size: QSize, low: bool = False) -> QPoint:
    """The top left corner of a panel beside what it points at, else inside of its lower corner.

    `low`: level with the lower end of what it points at, not with the upper one.
    """
    width, height = size.width(), size.height()
    inner = window.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
    level = target.bottom() - height if low else target.top()
    y = min(max(level, inner.top()), inner.bottom() - height)
    x = min(max(target.left(), inner.left()), inner.right() - width)
    for corner in (
        QPoint(target.right() + _GAP, y),
        QPoint(target.left() - _GAP - width, y),
        QPoint(x, target.bottom() + _GAP),
        QPoint(x, target.top() - _GAP - height),
    ):
        if inner.contains(QRect(corner.x(), corner.y(), width, height)):
            return corner
    shared = target.intersected(inner)
    return QPoint(
        max(inner.left(), shared.right() - width - _EDGE),
        max(inner.top(), shared.bottom() - height - _EDGE),
    )


class TourPanel(QFrame):
    """The words of a step and the way on; arrow keys walk and Escape closes."""

    back_wished = Signal()
    next_wished = Signal()
    close_wished = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("tour")
        self.setAccessibleName("Guided tour")
        self.setAutoFillBackground(True)
        self.setFixedWidth(_WIDTH)
        self.title = wrapped_label()
        self.title.setFont(theme.font("title", bold=True))
        self.text = wrapped_label()
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.place = QLabel()
        theme.mute(self.place)
        self.place.setAccessibleName("Step of the tour")
        self.back = QPushButton("Back")
        self.next = QPushButton("Next")
        self.close_button = QPushButton("Close")
        self.close_button.setAccessibleName("Close the tour")
        self.close_button.setToolTip("The tour goes on from here another time: menu Help")
        row = QHBoxLayout()
        row.setSpacing(theme.GRID)
        row.addWidget(self.place)
        row.addStretch(1)
        for button in (self.close_button, self.back, self.next):
            button.installEventFilter(self)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(row)
        self.back.clicked.connect(self.back_wished)
        self.next.clicked.connect(self.next_wished)
        self.close_button.clicked.connect(self.close_wished)
        theme.theme().changed.connect(self._style)
        self._style()

    def show_step(self, title: str, text: str, place: str, may_go_back: bool, last: bool) -> None:
        """Say what a step says."""
        self.title.setText(title)
        self.text.setText(text)
        self.place.setText(place)
        self.back.setEnabled(may_go_back)
        self.next.setText("Done" if last else "Next")
        self.setAccessibleDescription(f"{title}. {text}")
        room = _WIDTH - 2 * theme.PADDING
        for label in (self.title, self.text):
            label.setMinimumHeight(0)  # else the height of the step before is the least
            label.setFixedHeight(label.heightForWidth(room))

    @Slot()
    def _style(self) -> None:
        tokens = theme.theme().tokens
        self.setStyleSheet(
            f"#tour {{ background: {tokens.raised}; border: 1px solid {tokens.focus};"
            " border-radius: 6px; }"
        )

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The keys of the tour come before the shortcuts of the window."""
        if not isinstance(event, QKeyEvent):
            return False
        ways = {
            Qt.Key.Key_Left: self.back_wished,
            Qt.Key.Key_Right: self.next_wished,
            Qt.Key.Key_Escape: self.close_wished,
        }
        way = ways.get(Qt.Key(event.key()))
        if way is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress:
            way.emit()
            return True
        return False


class TourFrame(QWidget):
    """A line around what a step points at; clicks go through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("What the tour points at")
        theme.theme().changed.connect(self.update)

    def point_at(self, target: QRect) -> None:
        """Surround a part of the window."""
        parent = self.parentWidget()
        room = parent.rect() if parent is not None else target
        self.setGeometry(target.adjusted(-3, -3, 3, 3).intersected(room))

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.theme().colour("link"), 2.5))
            painter.drawRoundedRect(self.rect().adjusted(2, 2, -2, -2), 5, 5)
