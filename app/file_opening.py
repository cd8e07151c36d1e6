"""A double click on a project where the system tells the running program of it (macOS)."""

from __future__ import annotations

import sys

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent


class FileOpener(QObject):
    """Hears of files that the system wants opened; elsewhere they come as arguments."""

    wished = Signal(str)  # path

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            if event.file():
                self.wished.emit(event.file())
            return True
        return super().eventFilter(watched, event)


def hear_of_files(application: QCoreApplication, platform: str = sys.platform) -> FileOpener:
    """Listen where the system sends such events: every event passes by, so nowhere else."""
    opener = FileOpener(application)
    if platform == "darwin":
        application.installEventFilter(opener)
    return opener
