"""The frame of a figure in the window: its title, the plot, its table twin, and its menu."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QHBoxLayout,
    QLabel,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import GRID, font, mute
from app.widgets.empty_state import EmptyState
from app.widgets.table_twin import TableTwin
from app.widgets.window_action import add_window_action

_FORMATS = (
    ("Export figure as SVG…", "svg"),
    ("Export figure as PDF…", "pdf"),
    ("Export figure as PNG…", "png"),
    ("Export data as CSV…", "csv"),
    ("Export data as JSON…", "json"),
)


class FigurePanel(QWidget):
    """A plot and its table share one place; `export_requested` carries the figure and the format.

    `controls` is a row for what belongs to this figure; `note` is a line below the plot. The panel
    shows its empty state until `show_content(True)`.
    """

    export_requested = Signal(str, str)
    table_shown = Signal(bool)
    action = Signal(str)  # of the empty state's button

    def __init__(
        self,
        figure: str,
        title: str,
        plot: QWidget,
        table: TableTwin | None,
        empty: EmptyState,
        parent: QWidget | None = None,
        copied: TableTwin | None = None,
    ) -> None:
        super().__init__(parent)
        self.figure = figure
        self._there = False
        self.plot = plot
        self.table = table
        self.copied = copied or table  # a twin may stand elsewhere in the view
        self.empty = empty
        self.title = QLabel(title)
        self.title.setFont(font("body", bold=True))
        self.controls = QHBoxLayout()
        self.controls.setSpacing(GRID)
        self.note = QLabel()
        self.note.setFont(font("small"))
        mute(self.note)
        self.note.setWordWrap(True)
        self.note.setMinimumWidth(40)  # a huge name must not widen the window
        self.note.hide()
        self.stack = QStackedWidget()
        self.stack.addWidget(empty)
        self.stack.addWidget(plot)
        if table is not None:
            self.stack.addWidget(table)
        self._build()
        empty.action.connect(self.action)
        self.show_content(False)

    def _build(self) -> None:
        self.table_button = QToolButton()
        self.table_button.setText("Table")
        self.table_button.setFont(font("small"))
        self.table_button.setToolTip("Show the same data as a table")
        self.table_button.setCheckable(True)
        self.table_button.setVisible(self.table is not None)
        self.table_button.toggled.connect(self.show_table)
        self.menu_button = QToolButton()
        self.menu_button.setText("⋯")
        self.menu_button.setAccessibleName(f"Menu of the figure {self.title.text()}")
        self.menu_button.setToolTip("Copy and export")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = self._make_menu()
        self.menu_button.setMenu(self.menu)
        self.menu_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.head = QWidget()
        head = QHBoxLayout(self.head)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(GRID)
        head.addWidget(self.title)
        head.addLayout(self.controls)
        head.addStretch(1)
        head.addWidget(self.table_button)
        head.addWidget(self.menu_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.head)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.note)
        self.plot.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.plot.customContextMenuRequested.connect(self._open_menu)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.aboutToShow.connect(self._add_own_actions)
        for text, slot in (
            ("Copy data", self.copy_data),
            ("Copy picture", self.copy_picture),
            ("Show everything", self.show_everything),
        ):
            action = QAction(text, menu)
            action.triggered.connect(slot)
            action.setVisible(text != "Copy data" or self.copied is not None)
            menu.addAction(action)
        menu.addSeparator()
        for text, form in _FORMATS:
            action = QAction(text, menu)
            action.setData(form)
            menu.addAction(action)
        menu.triggered.connect(self._export)
        add_window_action(menu, self, "record-finding")
        return menu

    @Slot()
    def _add_own_actions(self) -> None:
        """What the plot itself offers comes first."""
        listed = self.menu.actions()
        own = [action for action in self.plot.actions() if action not in listed]
        if own:
            self.menu.insertActions(listed[0], own)
            self.menu.insertSeparator(listed[0])

    def show_content(self, there: bool) -> None:
        """Show the plot (or its table), or the empty state."""
        self._there = there
        self.head.setVisible(there)
        self.note.setVisible(there and bool(self.note.text()))
        self._choose(there)

    def set_note(self, text: str) -> None:
        """A line below the plot, such as what is not drawn and why."""
        self.note.setText(text)
        self.note.setVisible(bool(text) and self._there)

    def show_table(self, shown: bool) -> None:
        """Show the table in place of the plot."""
        self.table_button.setChecked(shown)
        self._choose(self._there)
        self.table_shown.emit(shown)

    def _choose(self, there: bool) -> None:
        wanted = self.table if self.table_button.isChecked() and self.table else self.plot
        self.stack.setCurrentWidget(wanted if there else self.empty)

    def copy_data(self) -> None:
        """Copy every row of the table twin as tab-separated text."""
        if self.copied is not None:
            self.copied.copy_all()

    def copy_picture(self) -> None:
        """Copy the plot as it is on the screen."""
        QGuiApplication.clipboard().setPixmap(self.stack.grab())

    def show_everything(self) -> None:
        """Undo zooming and moving."""
        show_all = getattr(self.plot, "show_all", None)
        if show_all is not None:
            show_all()

    def _export(self, action: QAction) -> None:
        if action.data():
            self.export_requested.emit(self.figure, str(action.data()))

    def _open_menu(self, place: QPoint) -> None:
        if self._there:
            scrolled = isinstance(self.plot, QAbstractScrollArea)
            surface = self.plot.viewport() if scrolled else self.plot  # type: ignore[attr-defined]
            self.menu.popup(surface.mapToGlobal(place))
