"""Style sheets are of single widgets: one for the whole application makes Qt lose memory.

Under a style sheet Qt remembers rules for the inner parts of boxes to choose from and to type
numbers into, a kilobyte each, and never forgets them.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QMainWindow,
    QMenu,
    QTableView,
    QTreeWidget,
    QWidget,
)

from app import theme
from app.widgets.flat_table import flatten
from app.widgets.splitter import Splitter

_KEPT = """
import ctypes
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QWidget
from shiboken6 import delete
from app import theme

class Used(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

usage = ctypes.CDLL(None).mallinfo2
usage.restype = Used
application = QApplication([])
theme.apply(application, "light")

def make():
    window = QWidget()
    for _ in range(300):
        QDoubleSpinBox(window)
        QComboBox(window).setFont(theme.font("small"))
    delete(window)
    return usage().uordblks

make()
print(make() - make())
"""


@pytest.fixture
def themed(qapp: QApplication):
    theme.apply(qapp, "light")
    yield theme.theme()
    theme.theme().set_scheme("light")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc what is in use")
def test_boxes_that_were_closed_leave_no_memory_behind() -> None:
    done = subprocess.run([sys.executable, "-c", _KEPT], capture_output=True, text=True, check=True)
    grown = -int(done.stdout)
    assert grown < 600 * 200  # bytes; with a style sheet of the application, 600 * 1,000


def test_nothing_to_choose_or_type_into_stands_under_a_style_sheet(window) -> None:
    assert QApplication.instance().styleSheet() == ""
    boxes: list[QWidget] = []
    for presenter in window.presenters.values():
        view = presenter.view
        boxes += [*view.findChildren(QAbstractSpinBox), *view.findChildren(QComboBox)]
    boxes += window.findChildren(QComboBox)
    assert len(boxes) > 20
    for box in boxes:
        around: QWidget | None = box
        while around is not None:
            assert around.styleSheet() == "", (box.accessibleName(), around)
            around = around.parentWidget()


def test_another_scheme_reaches_what_was_never_shown(qtbot, themed) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    menu, combo = QMenu("menu", window), QComboBox(window)
    combo.addItem("one")
    label = QLabel("second rank", window)
    theme.mute(label)
    for tokens in (theme.DARK, theme.LIGHT):
        themed.set_scheme("dark" if tokens.dark else "light")
        for widget in (window, menu, combo, combo.view(), combo.view().window()):
            assert widget.palette().window().color().name() == tokens.window.lower(), widget
        assert label.palette().color(label.foregroundRole()).name() == tokens.muted.lower()


def test_heads_of_tables_and_dividers_follow_the_scheme(qtbot, themed) -> None:
    table, tree, splitter = QTableView(), QTreeWidget(), Splitter()
    for view in (table, tree):
        flatten(view)
        splitter.addWidget(view)
    qtbot.addWidget(splitter)
    splitter.setHandleWidth(8)
    splitter.resize(300, 100)
    for tokens in (theme.DARK, theme.LIGHT):
        themed.set_scheme("dark" if tokens.dark else "light")
        assert tokens.muted in table.styleSheet()
        assert tokens.border in table.styleSheet()
        assert tokens.muted in tree.header().styleSheet()
        picture = splitter.grab().toImage()
        place = splitter.handle(1).geometry().center()
        assert picture.pixelColor(place).name() == tokens.window.lower()
