"""Every control says what it is; every plot has a way by keyboard and its numbers as a table."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDockWidget,
    QFileDialog,
    QGroupBox,
    QHeaderView,
    QLineEdit,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.dialogs.details import DetailsDialog
from app.dialogs.prompts import NameDialog
from app.dialogs.recovery_dialog import RecoveryDialog
from app.key_sheet import PLACES
from app.main_window import MainWindow
from app.perspectives import PERSPECTIVES
from app.recovery import UncleanEnd
from app.widgets.figure_panel import FigurePanel
from app.widgets.lazy_tabs import LazyTabs
from app.widgets.table_twin import TableTwin
from tests.app.conftest import add_everything, shown_window
from tests.app.fake_backend import FakeBackend
from tests.app.steps import session, until, visible

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTabBar,
    QTextEdit,
)


@pytest.fixture(scope="module")
def standing_window(request, qapp, project_template, with_more, tmp_path_factory):
    """One window for the tests that only look at it, and its project."""
    folder = tmp_path_factory.mktemp("looked at")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "set"))
    shutil.copytree(project_template, folder, dirs_exist_ok=True)
    qtbot, file = QtBot(request), with_more(add_everything, folder / "scenes.parallax")
    with pytest.MonkeyPatch.context() as patch, shown_window(qtbot, FakeBackend()) as window:
        patch.setenv("PARALLAX_CACHE", str(folder / "cache"))
        yield _with_all_tabs(qtbot, window, file)


@pytest.fixture
def seen_window(qtbot, standing_window) -> Iterator[MainWindow]:
    """The same in every test, as it was at first: no dialog is open, nothing is waited for."""
    assert [w for w in visible(QDialog) if w is not standing_window] == []
    yield standing_window
    timers = [timer for timer in standing_window.findChildren(QTimer) if timer.isSingleShot()]
    until(qtbot, lambda: not any(timer.isActive() for timer in timers))


@pytest.fixture
def full_window(qtbot, window, full_file) -> MainWindow:
    """A window of this test alone."""
    return _with_all_tabs(qtbot, window, full_file)


def _with_all_tabs(qtbot, window: MainWindow, file: Path) -> MainWindow:
    """A project with results of every audit, and every perspective with all of its tabs built."""
    window.commands.open_path(str(file))
    until(qtbot, lambda: session(window).run_semantics is not None)
    for perspective in PERSPECTIVES:
        window.show_perspective(perspective.id)
        presenter = window.presenters[perspective.id]
        if perspective.audits:
            until(qtbot, lambda p=presenter: p.widget.currentWidget() is not p.empty)
        for tabs in presenter.view.findChildren(LazyTabs):
            for key in list(tabs._keys):
                tabs.build(key)
    for dock in window.docks.values():
        dock.show()
    QApplication.processEvents()
    return window


def _is_part_of_qt(widget: QWidget) -> bool:
    """Parts that Qt makes for its own controls, which speak for them."""
    if widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar | QHeaderView):
        return True
    parent = widget.parent()
    if isinstance(widget, QTabBar) and isinstance(parent, QMainWindow):
        return True  # of panels that share a place; each tab has the panel's title
    own = (QComboBox, QAbstractSpinBox, QTabBar, QAbstractItemView, QAbstractScrollArea, QLineEdit)
    inside = isinstance(parent, own) and not isinstance(parent, QScrollArea)
    popup = any(isinstance(parent, QComboBox) for parent in _parents(widget))
    dock_button = isinstance(parent, QDockWidget) and isinstance(widget, QAbstractButton)
    completer = "CompleterView" in type(widget).__name__
    unused = isinstance(widget, QAbstractButton) and widget.isHidden() and not widget.text()
    return inside or popup or dock_button or completer or unused or _in_box_of_qt(widget)


def _in_box_of_qt(widget: QWidget) -> bool:
    return isinstance(widget, QAbstractButton) and isinstance(widget.parent(), QDialogButtonBox)


def _parents(widget: QObject) -> Iterator[QObject]:
    parent = widget.parent()
    while parent is not None:
        yield parent
        parent = parent.parent()


def _speaks(widget: QWidget) -> bool:
    if widget.accessibleName().strip():
        return True
    if isinstance(widget, QAbstractButton):
        return any(character.isalpha() for character in widget.text())
    if isinstance(widget, QDialog):
        return bool(widget.windowTitle())
    return isinstance(widget, QGroupBox) and bool(widget.title())


def silent_controls(top: QWidget) -> list[str]:
    """Controls under a widget that a screen reader has no words for."""
    found = []
    for widget in [top, *top.findChildren(QWidget)]:
        takes_keys = widget.focusPolicy().value != 0 and isinstance(widget, CONTROLS)
        drawn = type(widget).keyPressEvent is not QWidget.keyPressEvent and _handles_keys(widget)
        wanted = takes_keys or drawn or isinstance(widget, CONTROLS)
        if wanted and not _is_part_of_qt(widget) and not _speaks(widget):
            owners = [type(p).__name__ for p in _parents(widget)][:4]
            found.append(f"{type(widget).__name__} in {' in '.join(owners)}")
    return found


def _handles_keys(widget: QWidget) -> bool:
    """Whether a class of Parallax itself takes keys."""
    return any(
        "keyPressEvent" in vars(kind) and kind.__module__.startswith("app.")
        for kind in type(widget).__mro__
    )


def test_every_control_of_the_window_says_what_it_is(seen_window) -> None:
    assert silent_controls(seen_window) == []


_LEFT_ALONE = {"quit", "close", "cancel", "tour", "undo", "redo"}


def test_every_control_of_every_dialog_says_what_it_is(qtbot, full_window) -> None:
    window = full_window
    window.workspace.session.update({"image": 1}, None)
    window.show_perspective("concepts")
    silent: dict[str, list[str]] = {}
    opened = set()
    for definition in window.actions_registry.definitions():
        if definition.id in _LEFT_ALONE or definition.id.startswith("go-"):
            continue
        if not window.actions_registry[definition.id].isEnabled():
            continue
        window.actions_registry[definition.id].trigger()
        QApplication.processEvents()
        for dialog in visible(QDialog):
            opened.add(type(dialog).__name__)
            if not isinstance(dialog, QFileDialog | QMessageBox):
                silent[definition.id] = silent_controls(dialog)
            dialog.close()
        QApplication.processEvents()
    assert {words: found for words, found in silent.items() if found} == {}
    assert {"ProjectDialog", "RunDialog", "ExportDialog", "ShortcutsDialog", "CommandPalette"} <= (
        opened
    )


def test_questions_and_details_say_what_they_are(window, tmp_path) -> None:
    dialogs = (
        NameDialog("Rename", "a", frozenset(), None, window),
        DetailsDialog("Details", "text", window),
        RecoveryDialog(UncleanEnd("2026-01-31 09:30 UTC", tmp_path / "a.parallax"), window),
    )
    for dialog in dialogs:
        dialog.show()
        assert silent_controls(dialog) == []
        dialog.close()


# -- plots -------------------------------------------------------------------------------------
_PLOTS = {
    "PlotCanvas",
    "HeatCanvas",
    "BarTable",
    "ImageGrid",
    "SaliencyGrid",
    "UnitGrid",
    "StepCanvas",
}
_NO_PLOTS = {
    "ElidedLabel",  # words
    "ColourBar",  # the scale of the map beside it
    "CurveChip",  # a name in a legend
    "_Paper",  # a page of the report: its words are in the blocks
    "_Handle",  # of the divider between two parts
}


def plots_of(top: QWidget) -> list[QWidget]:
    """Everything that shows data as a picture."""
    return [
        widget
        for widget in top.findChildren(QWidget)
        if any(kind.__name__ in _PLOTS for kind in type(widget).__mro__)
    ]


def twin_of(plot: QWidget) -> TableTwin | None:
    """The table with the same data: of the figure around the plot, or of the view around it."""
    for around in _parents(plot):
        for name in ("copied", "table", "twin"):
            table = getattr(around, name, None)
            if isinstance(table, TableTwin):
                return table
        if around.objectName() == "main window":
            break
    return None


def test_every_plot_has_a_table_with_its_data(seen_window) -> None:
    alone = []
    for perspective in PERSPECTIVES:
        for plot in plots_of(seen_window.presenters[perspective.id].view):
            if twin_of(plot) is None:
                alone.append(f"{perspective.id}: {plot.accessibleName()}")
    assert alone == []


def test_every_plot_is_reached_and_used_by_keyboard(seen_window) -> None:
    deaf = []
    for perspective in PERSPECTIVES:
        for plot in plots_of(seen_window.presenters[perspective.id].view):
            tab = plot.focusPolicy() & Qt.FocusPolicy.TabFocus
            if not (tab and _handles_keys(plot)) and not _is_walked_from_beside(plot):
                deaf.append(f"{perspective.id}: {plot.accessibleName()}")
    assert deaf == []


def _is_walked_from_beside(plot: QWidget) -> bool:
    """A picture of one step of a curve: the arrow keys in the plot of the curve walk its steps."""
    panel = next((p for p in _parents(plot) if isinstance(p, FigurePanel)), None)
    curves = [p for p in plots_of(panel) if p is not plot] if panel is not None else []
    return type(plot).__name__ == "StepCanvas" and any(_handles_keys(p) for p in curves)


def test_no_drawing_is_forgotten_here(seen_window) -> None:
    """What paints itself is a plot and listed above, or named as none."""
    unknown = set()
    for perspective in PERSPECTIVES:
        view = seen_window.presenters[perspective.id].view
        plots = set(map(id, plots_of(view)))
        for widget in view.findChildren(QWidget):
            own = any(
                "paintEvent" in vars(kind) and kind.__module__.startswith("app.")
                for kind in type(widget).__mro__
            )
            if own and id(widget) not in plots:
                unknown.add(type(widget).__name__)
    assert unknown <= _NO_PLOTS


# -- the sheet of keys tells the truth ---------------------------------------------------------
_KEYS = {
    "Arrow keys": [Qt.Key.Key_Right, Qt.Key.Key_Down],
    "Up, Down": [Qt.Key.Key_Down, Qt.Key.Key_Up],
    "Enter": [Qt.Key.Key_Return],
    "Space": [Qt.Key.Key_Space],
    "Space, Enter": [Qt.Key.Key_Space, Qt.Key.Key_Return],
    "Escape": [Qt.Key.Key_Escape],
    "+, −": [Qt.Key.Key_Plus, Qt.Key.Key_Minus],
    "Home": [Qt.Key.Key_Home],
    "Home, End": [Qt.Key.Key_Home, Qt.Key.Key_End],
    "Page Up, Page Down": [Qt.Key.Key_PageUp, Qt.Key.Key_PageDown],
}
_KINDS = {
    "In plots": ("embedding", "Models in the embedding"),
    "In heatmaps": ("layers", "Similarity of layers"),
    "In bars": ("embedding", "Profiles of models"),
    "In grids of pictures": ("units", "Units with their most activating images"),
    "In the grid of saliency maps": ("saliency", "Grid of saliency maps"),
}


@pytest.mark.parametrize("place", _KINDS)
def test_keys_of_the_sheet_are_taken_where_it_says(qtbot, seen_window, place) -> None:
    perspective, name = _KINDS[place]
    seen_window.show_perspective(perspective)
    presenter = seen_window.presenters[perspective]
    plot = next(p for p in plots_of(presenter.view) if p.accessibleName() == name)
    if isinstance(plot, QAbstractItemView):
        until(qtbot, lambda: plot.model().rowCount() > 1)
        plot.setCurrentIndex(plot.model().index(0, 0))
    ignored = []
    for keys, _text in dict(PLACES)[place]:
        taken = []
        for key in _KEYS.get(keys, []):
            event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(plot, event)
            for dialog in visible(QDialog):
                dialog.close()
            taken.append(event.isAccepted())
        if taken and not any(taken):
            ignored.append(keys)
    assert ignored == []
