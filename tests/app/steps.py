"""What window tests look at and do: waiting, finding dialogs, entries of the navigator."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from app.main_window import MainWindow
from app.navigator import ID_ROLE, KIND_ROLE

WAIT = 10_000


def until(qtbot, condition) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT)


def visible(kind: type[QWidget]) -> list:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def one(qtbot, kind: type[QWidget]):
    until(qtbot, lambda: len(visible(kind)) == 1)
    return visible(kind)[0]


def session(window: MainWindow):
    return window.workspace.session.snapshot


def entry(window: MainWindow, kind: str, number: object):
    for top in range(window.navigator.topLevelItemCount()):
        section = window.navigator.topLevelItem(top)
        for item in [section.child(row) for row in range(section.childCount())]:
            if (item.data(0, KIND_ROLE), item.data(0, ID_ROLE)) == (kind, number):
                return item
    raise LookupError(number)


def label(window: MainWindow, kind: str, number: object) -> str:
    """The text of an entry; empty while it is not listed yet."""
    try:
        return entry(window, kind, number).text(0)
    except LookupError:
        return ""


def start_run(qtbot, window: MainWindow, backend, model_b: str = "Lite2") -> int:
    parameters = backend.parse_parameters("concepts", {})
    models = ("Lite0", model_b)
    window.workspace.start_audit("concepts", models, parameters, 1, "auto")
    until(qtbot, lambda: len(window.workspace.jobs.records()) > 0)
    return window.workspace.jobs.records()[-1].run
