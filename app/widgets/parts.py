"""Widgets made ahead of the view that they belong to, one at a time.

A view with many plots takes longer to make than a window may be silent. What takes longest is made
beforehand, each in a turn of the event loop of its own; the view then takes what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtWidgets import QWidget

_Widget = TypeVar("_Widget", bound=QWidget)


class Parts:
    """Widgets by what makes them. They belong to `keeper` until a view takes them."""

    def __init__(self, keeper: QWidget | None = None) -> None:
        self._keeper = keeper
        self._made: dict[Callable[[], QWidget], QWidget] = {}

    def make(self, maker: Callable[[], QWidget]) -> bool:
        """Make a widget, unless it is there: then False."""
        if maker in self._made:
            return False
        self._made[maker] = made = maker()
        if self._keeper is not None:
            made.setParent(self._keeper)
        return True

    def take(self, maker: Callable[[], _Widget]) -> _Widget:
        """The widget made ahead, or a new one."""
        made = self._made.pop(maker, None)
        return maker() if made is None else made  # type: ignore[return-value]
