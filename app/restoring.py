"""Bringing back what a perspective showed: step by step, as its data come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.perspectives.base import Presenter
from app.workspace import Workspace

_PAUSE_MS = 160  # longer than views wait before they ask for more
_MOST_STEPS = 10
_MOST_PAUSES = 200  # while something else is being read


class Restorer(QObject):
    """Sets a presenter's controls again until nothing is left to be set; `finished` follows.

    What is on the screen depends on data that come one after another, so each step waits until the
    store has answered. Another perspective in front, or another wish, ends it.
    """

    finished = Signal()

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._presenter: Presenter | None = None
        self._state: Mapping[str, Any] = {}
        self._session: Mapping[str, Any] = {}
        self._steps = self._pauses = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._go_on)
        workspace.project_changed.connect(self.cancel)

    @property
    def active(self) -> bool:
        """Whether something is still being brought back."""
        return self._presenter is not None

    def begin(
        self, presenter: Presenter, session: Mapping[str, Any], state: Mapping[str, Any]
    ) -> None:
        """Bring back a view.

        :param session: the session fields of its place, set already; what a control set meanwhile
            does not change them.
        :param state: what `Presenter.view_state` gave.
        """
        self._presenter, self._session, self._state = presenter, dict(session), dict(state)
        self._steps, self._pauses = _MOST_STEPS, _MOST_PAUSES
        self._timer.start()

    @Slot()
    def cancel(self) -> None:
        """Leave the view as it is."""
        self._timer.stop()
        self._presenter = None

    @Slot()
    def _go_on(self) -> None:
        presenter = self._presenter
        if presenter is None or not presenter.active:
            self.cancel()
            return
        waiting = self._workspace.store.busy or self._workspace.loader.loading
        if waiting and self._pauses > 0:
            self._pauses -= 1
            self._timer.start()
            return
        self._steps -= 1
        changed = presenter.restore_view_state(self._state)
        changed |= bool(self._workspace.session.update(self._session, self))
        if changed and self._steps > 0:
            self._timer.start()
            return
        self._presenter = None
        self.finished.emit()
