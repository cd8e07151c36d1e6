"""Starting Qt, the window and its log; the one place that owns the event loop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QPixmapCache
from PySide6.QtWidgets import QApplication

from app import diagnostics, settings, theme
from app.file_opening import hear_of_files
from app.main_window import MainWindow
from app.recovery import RunningMark
from app.recovery_commands import RecoveryCommands
from app.workspace import Workspace

_SIGNAL_INTERVAL_MS = 250
_DRAWN_KB = 2048  # of drawn buttons and icons kept; Qt would fill 10 MB with ones long gone


def make_application(arguments: list[str]) -> QApplication:
    """The QApplication with Parallax's names, fonts and colours."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(arguments)
    QCoreApplication.setOrganizationName("Parallax")
    QCoreApplication.setApplicationName("Parallax")
    application.setApplicationDisplayName("Parallax")
    application.setDesktopFileName("parallax")
    QPixmapCache.setCacheLimit(_DRAWN_KB)
    theme.apply(application, settings.scheme())
    return application


def run_application(
    project: Path | None, sample: Path | None = None, open_sample: bool = False
) -> int:
    """Show the window and stay until it is closed; returns the exit code."""
    application = make_application(["parallax"])
    diagnostics.start_log()
    mark = RunningMark(diagnostics.log_file().parent)
    unclean = mark.begin()
    window = MainWindow(Workspace())
    recovery = RecoveryCommands(window, mark)
    diagnostics.install_exception_hook(window.commands.report)
    hear_of_files(application).wished.connect(window.commands.open_path)
    window.show()
    window.warm_up.import_modules()
    if open_sample:
        window.commands.open_sample(sample)
    elif project is not None:
        window.commands.open_path(str(project))
    if unclean is not None:
        recovery.offer(unclean)
    # Python sees Ctrl+C only between its own instructions: a timer lets it look.
    signal.signal(signal.SIGINT, signal.SIG_DFL if sys.platform == "win32" else _Interrupt(window))
    timer = QTimer()
    timer.timeout.connect(_let_python_look)
    timer.start(_SIGNAL_INTERVAL_MS)
    code = application.exec()
    mark.end()
    return code


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
