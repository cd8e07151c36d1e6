"""What the window does about an earlier session that was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from app.dialogs.recovery_dialog import RecoveryDialog
from app.recovery import RunningMark, UncleanEnd

if TYPE_CHECKING:
    from app.main_window import MainWindow


class RecoveryCommands(QObject):
    """Keeps the mark of this session, and offers what an earlier one has left."""

    def __init__(self, window: MainWindow, mark: RunningMark) -> None:
        super().__init__(window)
        self._window = window
        self._mark = mark
        self._resume_in: Path | None = None
        window.workspace.project_changed.connect(self._on_project)
        window.workspace.index_changed.connect(self._on_index)

    def offer(self, end: UncleanEnd) -> RecoveryDialog:
        """Say that a session was cut off, and offer its project."""
        dialog = RecoveryDialog(end, self._window)
        dialog.reopen.connect(self._reopen)
        dialog.diagnostics.connect(self._window.actions_registry["diagnostics"].trigger)
        dialog.diagnostics.connect(dialog.say_copied)
        dialog.open()
        return dialog

    @Slot(str, bool)
    def _reopen(self, path: str, resume: bool) -> None:
        self._resume_in = Path(path) if resume else None
        self._window.commands.open_path(path)

    @Slot(object)
    def _on_project(self, project: object) -> None:
        path = getattr(project, "path", None)
        read_only = bool(getattr(project, "read_only", False))
        self._mark.set_project(None if path is None else Path(path).absolute(), read_only)

    @Slot(object)
    def _on_index(self, index: object) -> None:
        wanted, path = self._resume_in, getattr(index, "path", None)
        if wanted is None or path is None:
            return
        self._resume_in = None
        if Path(path).absolute() == wanted and self._window.workspace.writable:
            self._window.workspace.resume_all()
