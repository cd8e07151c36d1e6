"""The session as Qt sees it: one signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.session import Session, Snapshot


class SessionSignals(QObject):
    """Thin adapter: forwards every change of a `Session` as `changed(names, initiator)`."""

    changed = Signal(object, object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        session.subscribe(self._forward)

    @property
    def snapshot(self) -> Snapshot:
        return self.session.snapshot

    def update(self, changes: Mapping[str, Any], initiator: object = None) -> frozenset[str]:
        """As `Session.update`."""
        return self.session.update(changes, initiator)

    def _forward(self, changes: frozenset[str], initiator: object) -> None:
        self.changed.emit(changes, initiator)
