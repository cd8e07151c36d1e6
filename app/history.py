"""Where the practitioner has been: Esc goes back. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.session import Snapshot

_PAIR = (
    "model_a",
    "model_b",
    "run_layers",
    "run_concepts",
    "layer_a",
    "layer_b",
    "run_semantics",
    "semantic_concept",
)
_MODELS = ("models", "run_dissection", "run_embedding", "run_evaluation", "components")
_MAPS = ("run_saliency", "saliency_method")
_FOCUS = ("class_name", "image_slice", "concept", "unit", "units", "image", "patch", "selection")
_LONGEST = 100

LEADING = object()
"""Initiator of what a view puts in focus by itself: it makes no new place."""


@dataclass(frozen=True)
class Place:
    """A perspective and what it was looking at."""

    perspective: str
    snapshot: Snapshot

    def changes(self) -> Mapping[str, Any]:
        """The session fields that bring the place back."""
        return {name: getattr(self.snapshot, name) for name in (*_PAIR, *_MODELS, *_MAPS, *_FOCUS)}


class History:
    """A bounded stack of places."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def visit(self, place: Place) -> None:
        """Note where we are; hovering and the like make no new place."""
        if not self._places or not _same(self._places[-1], place):
            self._places.append(place)
            del self._places[:-_LONGEST]

    def amend(self, place: Place) -> None:
        """Where we are now stands for where we were: nobody has gone anywhere."""
        if self._places and self._places[-1].perspective == place.perspective:
            self._places[-1] = place

    def back(self) -> Place | None:
        """The place before this one, which is forgotten; None at the beginning."""
        if len(self._places) < 2:
            return None
        self._places.pop()
        return self._places[-1]

    def clear(self) -> None:
        self._places.clear()

    @property
    def can_go_back(self) -> bool:
        return len(self._places) > 1


def _same(one: Place, other: Place) -> bool:
    return one.perspective == other.perspective and one.changes() == other.changes()
