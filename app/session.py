"""What the window is looking at: one immutable snapshot, and who changed it. No Qt here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Listener = Callable[[frozenset[str], object], None]


@dataclass(frozen=True)
class Snapshot:
    """The state that all views share. Ids are those of the project file, never row numbers."""

    project: str | None = None  # path of the open project
    run_concepts: int | None = None
    run_layers: int | None = None
    model_a: str | None = None
    model_b: str | None = None
    layer_a: str | None = None
    layer_b: str | None = None
    class_name: str | None = None  # None: all classes
    concept: int | None = None  # concept.id in focus
    image: int | None = None
    patch: int | None = None
    selection: frozenset[int] = frozenset()  # concept ids
    hover: int | None = None  # concept id under the pointer
    hover_model: str | None = None  # model under the pointer
    models: tuple[str, ...] = ()  # selected anywhere, in the order of selection
    run_dissection: int | None = None
    run_embedding: int | None = None
    run_evaluation: int | None = None
    run_saliency: int | None = None
    saliency_method: str = ""  # label of the method shown; empty: the first
    run_semantics: int | None = None
    semantic_concept: str = ""  # whose feature spaces are compared; empty: the mean of all
    unit: int | None = None  # unit.id in focus
    units: frozenset[int] = frozenset()  # unit ids selected
    components: tuple[int, int] = (1, 2)  # of the embedding, across and up
    image_slice: int | None = None  # id of the slice that views are narrowed to; None: all images


FIELDS = frozenset(field.name for field in dataclasses.fields(Snapshot))
HOVERING = frozenset({"hover", "hover_model"})
"""Fields that follow the pointer: they make no new place in the history."""

# What no longer makes sense once a field has changed, unless the same update says otherwise.
_RESETS: Mapping[str, tuple[str, ...]] = {
    "project": tuple(name for name in sorted(FIELDS) if name != "project"),
    "run_concepts": ("class_name", "concept", "image", "patch", "selection", "hover"),
    "run_dissection": ("unit", "units"),
    "run_semantics": ("semantic_concept",),
    "concept": ("patch", "image"),
    "unit": ("patch", "image"),
}


class Session:
    """Holds the snapshot and tells its listeners what changed, and on whose initiative."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._listeners: list[Listener] = []

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(changed field names, initiator)` after every effective change."""
        self._listeners.append(listener)

    def update(self, changes: Mapping[str, Any], initiator: object = None) -> frozenset[str]:
        """Replace fields of the snapshot; returns the names of those that really changed.

        Fields that depend on a changed one (the concept on its run, the patch on its concept)
        are cleared unless `changes` names them too.

        :raises KeyError: a name that the snapshot does not have.
        """
        unknown = changes.keys() - FIELDS
        if unknown:
            raise KeyError(f"The session has no {', '.join(sorted(unknown))}.")
        before = self._snapshot
        after = dataclasses.replace(before, **_with_resets(before, changes))
        changed = frozenset(n for n in FIELDS if getattr(after, n) != getattr(before, n))
        if changed:
            self._snapshot = after
            for listener in tuple(self._listeners):
                listener(changed, initiator)
        return changed


def _with_resets(before: Snapshot, changes: Mapping[str, Any]) -> dict[str, Any]:
    complete = dict(changes)
    defaults = Snapshot()
    for name, dependents in _RESETS.items():  # what decides comes before what depends on it
        if name in complete and complete[name] != getattr(before, name):
            for dependent in dependents:
                complete.setdefault(dependent, getattr(defaults, dependent))
    return complete
