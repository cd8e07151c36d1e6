"""Which runs to show: pure decisions on the session and the project's index. No Qt here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from app.project_index import ProjectIndex, RunEntry
from app.session import Snapshot

PENULTIMATE = "penultimate"

# Runs that compare two models: the newest of the pair is shown.
PAIR_FIELDS = {
    "layers": "run_layers",
    "concepts": "run_concepts",
    "semantics": "run_semantics",
}


# Runs of audits that take any number of models: the newest is shown, whatever the pair.
RUN_FIELDS = {
    "dissection": "run_dissection",
    "embedding": "run_embedding",
    "evaluation": "run_evaluation",
    "saliency": "run_saliency",
}


def changes_for(
    snapshot: Snapshot, index: ProjectIndex, followed: Collection[int] = ()
) -> dict[str, Any]:
    """What the session must change now that the project holds what `index` says.

    The pair stays while both models exist; a run that the practitioner started (`followed`) is
    shown as soon as it has results; a run that is gone makes room for the newest one; models that
    are gone are no longer selected.
    """
    changes = _pair_changes(snapshot, index, followed)
    for audit, field in RUN_FIELDS.items():
        newest, kept = index.newest_run(audit), index.run(getattr(snapshot, field))
        if kept is None or not kept.has_results or _takes_over(newest, kept.id, followed):
            changes[field] = newest.id if newest is not None else None
    models = tuple(name for name in snapshot.models if index.model(name) is not None)
    if models != snapshot.models:
        changes["models"] = models
    return changes


def _takes_over(newest: RunEntry | None, shown: int, followed: Collection[int]) -> bool:
    return newest is not None and newest.id in followed and newest.id > shown


def _pair_changes(
    snapshot: Snapshot, index: ProjectIndex, followed: Collection[int]
) -> dict[str, Any]:
    model_a, model_b = snapshot.model_a, snapshot.model_b
    if index.model(model_a) is None or index.model(model_b) is None:
        model_a, model_b = index.newest_pair()
        return for_pair(index, model_a, model_b)
    if not any(getattr(snapshot, field) for field in PAIR_FIELDS.values()):
        first = _first_results(index, followed)
        if first is not None and not first.compares(model_a, model_b):
            return for_pair(index, first.model_a, first.model_b)
    changes: dict[str, Any] = {}
    for audit in ("layers", "semantics"):
        shown = getattr(snapshot, PAIR_FIELDS[audit])
        run = _kept_or_newest(shown, audit, snapshot, index, followed)
        if run is not None or shown is not None:
            changes[PAIR_FIELDS[audit]] = run.id if run else None
    concepts_run = _kept_or_newest(snapshot.run_concepts, "concepts", snapshot, index, followed)
    if concepts_run is None:
        changes["run_concepts"] = None
    elif concepts_run.id != snapshot.run_concepts:
        changes.update(_concepts(concepts_run, model_a))
    return changes


def _first_results(index: ProjectIndex, followed: Collection[int]) -> RunEntry | None:
    """The newest started comparison that has results: worth showing where there was nothing."""
    runs = (r for r in reversed(index.runs) if r.id in followed and r.has_results and r.pair)
    return next(runs, None)


def _kept_or_newest(
    shown: int | None,
    audit: str,
    snapshot: Snapshot,
    index: ProjectIndex,
    followed: Collection[int],
) -> RunEntry | None:
    newest = index.latest_run(audit, snapshot.model_a, snapshot.model_b)
    if _takes_over(newest, shown or 0, followed):
        return newest
    kept = index.run(shown)
    if kept is not None and kept.has_results:
        return kept
    if audit == "concepts" and snapshot.layer_a is not None:
        layers = (snapshot.layer_a, snapshot.layer_b)
        return index.latest_run(audit, snapshot.model_a, snapshot.model_b, layers)
    return newest


def for_pair(index: ProjectIndex, model_a: str | None, model_b: str | None) -> dict[str, Any]:
    """The session for a pair of models: its newest runs and their layers."""
    newest = {audit: index.latest_run(audit, model_a, model_b) for audit in PAIR_FIELDS}
    changes: dict[str, Any] = {
        "model_a": model_a,
        "model_b": model_b,
        **{PAIR_FIELDS[audit]: run.id if run else None for audit, run in newest.items()},
        "run_concepts": None,
        "layer_a": None,
        "layer_b": None,
    }
    concepts_run = newest["concepts"]
    if concepts_run is not None:
        changes.update(_concepts(concepts_run, model_a))
    return changes


def for_layers(
    snapshot: Snapshot, index: ProjectIndex, layer_a: str | None, layer_b: str | None
) -> dict[str, Any]:
    """The session for a pair of layers: the run that compared their concepts, if there is one."""
    run = index.latest_run("concepts", snapshot.model_a, snapshot.model_b, (layer_a, layer_b))
    return {"layer_a": layer_a, "layer_b": layer_b, "run_concepts": run.id if run else None}


def for_run(snapshot: Snapshot, run: RunEntry) -> dict[str, Any]:
    """The session for one run; the pair keeps its order if the run is about the same models."""
    if run.audit in RUN_FIELDS:
        return {RUN_FIELDS[run.audit]: run.id}
    same = run.compares(snapshot.model_a, snapshot.model_b)
    model_a = snapshot.model_a if same else run.model_a
    changes: dict[str, Any] = {}
    if not same:
        changes.update(
            model_a=run.model_a,
            model_b=run.model_b,
            layer_a=None,
            layer_b=None,
            **dict.fromkeys(PAIR_FIELDS.values()),
        )
    if run.audit == "concepts":
        changes.update(_concepts(run, model_a))
    elif run.audit in PAIR_FIELDS:
        changes[PAIR_FIELDS[run.audit]] = run.id
    return changes


def _concepts(run: RunEntry, model_a: str | None) -> dict[str, Any]:
    layer_a, layer_b = run.layers_for(model_a)
    return {"run_concepts": run.id, "layer_a": layer_a, "layer_b": layer_b}


def layer_choices(index: ProjectIndex, snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """The layers of A and B worth choosing from: those of the pair's runs, in the models' order.

    Without any run: the penultimate layers.
    """
    used: tuple[set[str], set[str]] = (set(), set())
    for run in index.runs:
        if run.audit == "concepts" and run.compares(snapshot.model_a, snapshot.model_b):
            for names, layer in zip(used, run.layers_for(snapshot.model_a), strict=True):
                names.update({layer} if layer else ())
    for names, layer in zip(used, (snapshot.layer_a, snapshot.layer_b), strict=True):
        names.add(layer or PENULTIMATE)
    return (
        _in_order(index, snapshot.model_a, used[0]),
        _in_order(index, snapshot.model_b, used[1]),
    )


def _in_order(index: ProjectIndex, model: str | None, names: set[str]) -> list[str]:
    entry = index.model(model)
    known = [layer.name for layer in entry.layers] if entry is not None else []
    return [name for name in known if name in names] + sorted(names - set(known))
