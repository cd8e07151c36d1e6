"""The parts of the saliency view put in their places: bar, grid of maps, tabs below it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import GRID, PADDING, font
from app.widgets.empty_state import EmptyState
from app.widgets.splitter import Splitter


def stacked(above: QWidget, below: QWidget) -> Splitter:
    """The grid of maps above the tabs, with a divider."""
    splitter = Splitter(Qt.Orientation.Vertical)
    splitter.addWidget(above)
    splitter.addWidget(below)
    splitter.setSizes([420, 370])
    splitter.setStretchFactor(0, 3)
    splitter.setStretchFactor(1, 2)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(PADDING)
    above.setMinimumHeight(170)
    below.setMinimumHeight(290)
    return splitter


def large_button() -> QToolButton:
    """Gives the tabs the whole room."""
    button = QToolButton()
    button.setText("⤢")
    button.setCheckable(True)
    button.setAccessibleName("Large: hide the grid of maps")
    button.setToolTip("Give this the whole room; press again for the grid")
    return button


def offer_below(empty: EmptyState, button: QPushButton) -> None:
    """A second way on, under the button of the empty view."""
    button.setFlat(True)
    button.setFont(font("body"))
    column = empty.layout()
    assert isinstance(column, QVBoxLayout)
    after = column.indexOf(empty.button) + 1
    column.insertWidget(after, button, 0, Qt.AlignmentFlag.AlignHCenter)


def filled(view: QWidget, empty: QWidget, bar: QWidget, splitter: QWidget) -> QStackedWidget:
    """The view's stack: the empty view, or bar and maps."""
    content = QWidget()
    layout = QVBoxLayout(content)
    layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
    layout.setSpacing(GRID)
    layout.addWidget(bar)
    layout.addWidget(splitter, 1)
    stack = QStackedWidget()
    stack.addWidget(empty)
    stack.addWidget(content)
    around = QVBoxLayout(view)
    around.setContentsMargins(0, 0, 0, 0)
    around.addWidget(stack)
    return stack
