"""How far a table, a grid or a page is scrolled, as plain JSON values, and scrolling it there."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QGraphicsView, QScrollBar

_FURTHEST = 2**31 - 1


def read_scroll(area: QAbstractScrollArea) -> list[list[int]] | None:
    """Place and length of what is scrolled, down and across; None where all of it is seen."""
    if isinstance(area, QGraphicsView):
        return None  # it has a visible range
    _settle(area)
    bars = (area.verticalScrollBar(), area.horizontalScrollBar())
    return [[bar.value(), _length(bar)] for bar in bars] if any(map(_moves, bars)) else None


def write_scroll(area: QAbstractScrollArea, value: object) -> bool:
    """Scroll to a place that `read_scroll` gave; in proportion where the length is another one,
    as that of a grid which has become wider."""
    if isinstance(area, QGraphicsView) or not isinstance(value, list) or len(value) != 2:
        return False
    before = read_scroll(area)
    for bar, wanted in zip((area.verticalScrollBar(), area.horizontalScrollBar()), value,
                           strict=True):  # fmt: skip
        if not isinstance(wanted, list) or len(wanted) != 2:
            continue
        place, length = wanted
        if _is_length(place) and _is_length(length) and length > 0:
            bar.setValue(round(min(place / length, 1.0) * _length(bar)))
    return read_scroll(area) != before


def _settle(area: QAbstractScrollArea) -> None:
    """A view lays out its items late; its scroll bars know their range after that."""
    if isinstance(area, QAbstractItemView) and area.model() is not None:
        area.visualRect(area.model().index(0, 0))


def _length(bar: QScrollBar) -> int:
    """Of the whole contents: the same however much of it is seen."""
    return bar.maximum() + bar.pageStep()


def _moves(bar: QScrollBar) -> bool:
    return bar.maximum() > bar.minimum()


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _FURTHEST
