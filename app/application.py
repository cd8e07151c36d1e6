"""Starting Qt, the window and its log; the one place that owns the event loop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from app import diagnostics, settings, theme
from app.main_window import MainWindow
from app.workspace import Workspace

_SIGNAL_INTERVAL_MS = 250


def make_application(arguments: list[str]) -> QApplication:
    """The QApplication with Parallax's names, fonts and colours."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(arguments)
    QCoreApplication.setOrganizationName("Parallax")
    QCoreApplication.setApplicationName("Parallax")
    application.setApplicationDisplayName("Parallax")
    application.setDesktopFileName("parallax")
    theme.apply(application, settings.scheme())
    return application


def run_application(
    project: Path | None, sample: Path | None = None, open_sample: bool = False
) -> int:
    """Show the window and stay until it is closed; returns the exit code."""
    application = make_application(["parallax"])
    diagnostics.start_log()
    window = MainWindow(Workspace())
    diagnostics.install_exception_hook(window.commands.report)
    window.show()
    if open_sample:
        window.commands.open_sample(sample)
    elif project is not None:
        window.commands.open_path(str(project))
    # Python sees Ctrl+C only between its own instructions: a timer lets it look.
    signal.signal(signal.SIGINT, signal.SIG_DFL if sys.platform == "win32" else _Interrupt(window))
    timer = QTimer()
    timer.timeout.connect(_let_python_look)
    timer.start(_SIGNAL_INTERVAL_MS)
    return application.exec()


class _Interrupt:
    """Ctrl+C in the terminal closes the window as its user would."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def __call__(self, _number: int, _frame: object) -> None:
        self._window.workspace.jobs.cancel_all()
        self._window.workspace.when_idle(self._close)

    def _close(self) -> None:
        self._window.close()


def _let_python_look() -> None:
    """Nothing to do: being called is enough."""
