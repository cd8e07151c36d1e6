"""Which runs have results, and which of several is shown: one rule for all that shows runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from analysis.errors import AuditError

if TYPE_CHECKING:
    from analysis.project import Project

_RESULTS: Mapping[str, tuple[str, ...]] = {
    "layers": ("layer_similarity",),
    "concepts": ("concept",),
    "dissection": ("unit",),
    "embedding": ("embedding",),
    "evaluation": ("performance",),
    "saliency": ("saliency",),
    "semantics": ("space_similarity", "mask_similarity"),
}
# Of a run that still goes on, or that was asked for no more.
_PARTS: Mapping[str, tuple[str, ...]] = {"semantics": ("concept_vector", "mask_concept")}


class Standing(IntEnum):
    """How far a run has come: the more, the rather it is shown."""

    NOTHING = 0
    PARTS = 1  # what its results will be made of, but no results
    RESULTS = 2


def newest(standings: Mapping[int, Standing]) -> int | None:
    """The run to show of several, by their ids: the newest with results, where there is none the
    newest with parts; None where no run has anything."""
    known = {run: standing for run, standing in standings.items() if standing != Standing.NOTHING}
    return max(known, key=lambda run: (known[run], run), default=None)


def run_standings(project: Project, audit: str | None = None) -> dict[int, Standing]:
    """How far each run has come, by its id.

    :param audit: only its runs.
    """
    found: dict[int, Standing] = {}
    for name in _RESULTS if audit is None else (audit,):
        whole = _any_row(_RESULTS.get(name, ()))
        part = _any_row(_PARTS.get(name, ()))
        for run, state, results, parts in project.rows(
            f"SELECT id, state, {whole}, {part} FROM run WHERE audit = ?", (name,)
        ):
            ended = bool(parts) and state == "done"
            found[run] = (
                Standing.RESULTS if results or ended else Standing.PARTS if parts
                else Standing.NOTHING
            )  # fmt: skip
    return found


def _any_row(tables: tuple[str, ...]) -> str:
    tests = (f"EXISTS (SELECT 1 FROM {one} WHERE {one}.run = run.id)" for one in tables)
    return f"({' OR '.join(tests) or '0'})"


def has_results(project: Project, run: int, audit: str) -> bool:
    """Whether a run of this audit has anything that a figure could show."""
    tables = (*_RESULTS.get(audit, ()), *_PARTS.get(audit, ()))
    return any(
        project.value(f"SELECT 1 FROM {table} WHERE run = ? LIMIT 1", (run,)) for table in tables
    )


def latest_run(
    project: Project,
    audit: str,
    model_a: str | None = None,
    model_b: str | None = None,
    table: str = "",
) -> int | None:
    """The run of `audit` (and of that pair of models, if given) to show, as `newest` says.

    A run that still goes on counts once its first results are there. None when there is none.

    :param table: the table that must have rows of the run, whatever else it has.
    """
    if audit not in _RESULTS:
        raise AuditError(
            f"There is no figure of the audit {audit}.",
            f"Audits with figures: {', '.join(_RESULTS)}.",
        )
    fitting = project.rows(
        "SELECT id FROM run WHERE audit = ? AND (? IS NULL OR model_a = ?)"
        f" AND (? IS NULL OR model_b = ?) AND {_any_row((table,)) if table else '1'}",
        (audit, model_a, model_a, model_b, model_b),
    )
    if table:
        return max((row[0] for row in fitting), default=None)
    standings = run_standings(project, audit)
    return newest({row[0]: standings[row[0]] for row in fitting})
