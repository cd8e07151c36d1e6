"""Where a finding was made: a perspective and all that decided what it showed. No Qt here.

What a project file says is not trusted: what is unknown or has the wrong type is left out, and what
is gone since (a run, a model, an image) is said in words.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.project import Project
from app.history import Place
from app.project_index import ProjectIndex
from app.session import Snapshot

_VERSION = 1
_LONGEST_TEXT = 1000
_MOST_IDS = 50_000


@dataclass(frozen=True)
class ViewState:
    """A perspective, the session fields of its place, and what else its view showed.

    :param models: ids of the models named in `session`, by name: names may change.
    :param names: of the runs in `session`, by field, to say which one is gone.
    :param view: plain JSON values, as the perspective gave them.
    """

    perspective: str
    session: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What of a state is still there: session fields to take, and what is missing, in words."""

    state: ViewState
    changes: Mapping[str, Any]
    missing: tuple[str, ...] = ()


def take_state(
    perspective: str, snapshot: Snapshot, index: ProjectIndex | None, view: Mapping[str, Any]
) -> ViewState:
    """The state of a perspective as it stands."""
    session = dict(Place(perspective, snapshot).changes())
    models, names = {}, {}
    if index is not None:
        for name in {session["model_a"], session["model_b"], *session["models"]}:
            entry = index.model(name)
            if entry is not None:
                models[entry.name] = entry.id
        for key in session:
            run = index.run(session[key]) if key.startswith("run_") else None
            if run is not None:
                names[key] = run.name
    return ViewState(perspective, session, models, names, dict(view))


def write_state(state: ViewState) -> dict[str, Any]:
    """Plain JSON values; see `read_state`."""
    return {
        "version": _VERSION,
        "session": {key: _plain(value) for key, value in state.session.items()},
        "models": dict(state.models),
        "names": dict(state.names),
        "view": dict(state.view),
    }


def read_state(perspective: str, value: object) -> ViewState:
    """What `write_state` gave; whatever else there is, is left out."""
    whole = value if isinstance(value, Mapping) else {}
    session = {}
    given = _mapping(whole.get("session"))
    for key in _READERS.keys() & given.keys():
        read = _READERS[key](given[key])
        if read is not _WRONG:
            session[key] = read
    models = {k: v for k, v in _mapping(whole.get("models")).items() if _is_id(v)}
    names = {
        k: v[:_LONGEST_TEXT] for k, v in _mapping(whole.get("names")).items() if isinstance(v, str)
    }
    return ViewState(perspective, session, models, names, _mapping(whole.get("view")))


# -- reading values that nobody has checked ----------------------------------------------------
_WRONG = object()


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _id_or_none(value: object) -> object:
    return value if value is None or _is_id(value) else _WRONG


def _text(value: object) -> object:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else _WRONG


def _text_or_none(value: object) -> object:
    return None if value is None else _text(value)


def _ids(value: object) -> object:
    if not isinstance(value, list) or len(value) > _MOST_IDS or not all(map(_is_id, value)):
        return _WRONG
    return frozenset(value)


def _texts(value: object) -> object:
    there = isinstance(value, list) and len(value) <= _MOST_IDS
    if not there or any(_text(one) is _WRONG for one in value):  # type: ignore[attr-defined]
        return _WRONG
    return tuple(value)  # type: ignore[arg-type]


def _pair(value: object) -> object:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_id, value)):
        return _WRONG
    return (max(1, value[0]), max(1, value[1]))


_BY_TYPE: Mapping[str, Callable[[object], object]] = {
    "int | None": _id_or_none,
    "str | None": _text_or_none,
    "str": _text,
    "frozenset[int]": _ids,
    "tuple[str, ...]": _texts,
    "tuple[int, int]": _pair,
}
_PLACE = frozenset(Place("", Snapshot()).changes())
_READERS: Mapping[str, Callable[[object], object]] = {
    each.name: _BY_TYPE[str(each.type)]
    for each in dataclasses.fields(Snapshot)
    if each.name in _PLACE
}


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# -- what of it is still there -----------------------------------------------------------------
_AUDITS = {
    "run_concepts": "concepts",
    "run_layers": "layers",
    "run_dissection": "dissection",
    "run_embedding": "embedding",
    "run_evaluation": "evaluation",
    "run_saliency": "saliency",
    "run_semantics": "semantics",
}
# Field → its table, the field of the run that it belongs to, and its word.
_OF_RUNS = {
    "concept": ("concept", "run_concepts", "concept"),
    "selection": ("concept", "run_concepts", "selected concept"),
    "patch": ("patch", "run_concepts", "patch"),
    "unit": ("unit", "run_dissection", "unit"),
    "units": ("unit", "run_dissection", "selected unit"),
}
_OF_PROJECT = {"image": ("image", "image"), "image_slice": ("image_slice", "slice of the images")}


def find_state(project: Project, perspective: str, value: object) -> Found:
    """Look up in the project what a stored state names; to be called in the store lane."""
    state = read_state(perspective, value)
    changes = dict(state.session)
    missing: list[str] = []
    _find_models(project, state, changes, missing)
    for key, audit in _AUDITS.items():
        _find_run(project, key, audit, state, changes, missing)
    for key, (table, run, word) in _OF_RUNS.items():
        if changes.get(run) is None:
            if changes.get(key):  # the run's removal has been said
                changes[key] = _emptied(changes[key])
        else:
            _find_rows(project, key, table, word, changes, missing, changes[run])
    for key, (table, word) in _OF_PROJECT.items():
        _find_rows(project, key, table, word, changes, missing)
    return Found(state, changes, tuple(dict.fromkeys(missing)))


def _find_models(
    project: Project, state: ViewState, changes: dict[str, Any], missing: list[str]
) -> None:
    now = {row["id"]: row["name"] for row in project.rows("SELECT id, name FROM model")}
    known = set(now.values())

    def current(name: str) -> str | None:
        renamed = now.get(state.models.get(name, -1))
        found = renamed if renamed is not None else name if name in known else None
        if found is None:
            missing.append(f"The model “{name}” was removed.")
        return found

    for key in ("model_a", "model_b"):
        if changes.get(key) is not None:
            changes[key] = current(changes[key])
    if changes.get("models"):
        kept = (current(name) for name in changes["models"])
        changes["models"] = tuple(name for name in kept if name is not None)


def _find_run(
    project: Project,
    key: str,
    audit: str,
    state: ViewState,
    changes: dict[str, Any],
    missing: list[str],
) -> None:
    number = changes.get(key)
    if number is None:
        return
    if project.value("SELECT 1 FROM run WHERE id = ? AND audit = ?", (number, audit)) is None:
        name = f" “{state.names[key]}”" if state.names.get(key) else f" of {audit}"
        missing.append(f"The run{name} was removed.")
        changes[key] = None


def _find_rows(
    project: Project,
    key: str,
    table: str,
    word: str,
    changes: dict[str, Any],
    missing: list[str],
    run: int | None = None,
) -> None:
    value = changes.get(key)
    if not value:
        return
    wanted = value if isinstance(value, frozenset) else frozenset({value})
    where = "" if run is None else " AND run = :run"
    rows = project.rows(
        f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(:ids)){where}",
        {"ids": json.dumps(sorted(wanted)), "run": run},
    )
    there = frozenset(row["id"] for row in rows)
    if there != wanted:
        gone = len(wanted) - len(there)
        missing.append(f"{gone:,} {word}s are gone." if gone > 1 else f"The {word} is gone.")
        changes[key] = there if isinstance(value, frozenset) else None


def _emptied(value: object) -> object:
    return frozenset() if isinstance(value, frozenset) else None
