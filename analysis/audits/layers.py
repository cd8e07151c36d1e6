"""The audit `layers`: how similar are the concepts of every pair of layers? (paper, Sec. 3.2.1)"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.audits.comparison import (
    ComparisonParameters,
    check_comparison,
    count_units,
    estimate_workload,
    plan_units,
    run_prediction_unit,
)
from analysis.audits.context import SIDES, RunContext
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.errors import AuditError
from analysis.name_lists import split_names
from analysis.project import Project

# Seconds of algebra a class and layer takes beside the forwards, as measured on two cores.
_ALGEBRA_SECONDS = 0.4
_BYTES_A_PAIR_AND_CLASS = 600

PER_CLASS = ("pearson", "spearman", "cka", "rsa", "procrustes")  # arrays a unit keeps by class
_COLUMNS = {"pearson": "mmcs_pearson", "spearman": "mmcs_spearman"}  # others: their own name


@dataclass(frozen=True, kw_only=True)
class LayersParameters(ComparisonParameters):
    """Everything that decides the numbers of a `layers` run."""

    layers: int = parameter(
        10, "Layers a model, spread evenly over its depth", minimum=1, maximum=1000
    )
    layers_a: str = parameter(
        "", "Layers of the first model by name, separated by commas; empty means spread evenly"
    )
    layers_b: str = parameter("", "Layers of the second model by name")
    images_per_class: int = parameter(50, "Images a class at most", minimum=5, maximum=100_000)
    replicates: int = parameter(
        200, "Bootstrap samples of images behind each interval", minimum=100, maximum=10_000
    )
    permutations: int = parameter(
        100, "Shuffles of images behind what chance would give", minimum=50, maximum=10_000
    )

    def named_layers(self, side: str) -> tuple[str, ...]:
        return split_names(self.layers_a if side == "a" else self.layers_b)


def chosen_layers(project: Project, model: str, names: Sequence[str], count: int) -> list[str]:
    """The layers asked for by name, or `count` spread evenly over the model's depth.

    :raises AuditError: a layer the model does not have.
    """
    rows = project.rows(
        "SELECT name, position, kind, depth, spread FROM layer WHERE model = ? ORDER BY position",
        (model,),
    )
    known = {row["name"]: row for row in rows}
    if names:
        missing = [name for name in names if name not in known]
        if missing:
            raise AuditError(
                f"“{model}” has no layer “{missing[0]}”.",
                "Choose layers from the list of the model's layers.",
            )
        return sorted(dict.fromkeys(names), key=lambda name: known[name]["position"])
    ranked = [row["name"] for row in rows if row["spread"]]
    if len(ranked) <= count:
        return ranked
    picks = np.unique(np.linspace(0, len(ranked) - 1, count).round().astype(int))
    return [ranked[index] for index in picks]


class LayersAudit:
    """Two models, many layers each, class by class; conclusions are drawn over classes."""

    def check(self, request: Request) -> None:
        check_comparison(request, request.parameters.images_per_class)
        for side, model in (("a", request.model_a), ("b", request.model_b)):
            parameters: LayersParameters = request.parameters
            chosen_layers(request.project, model, parameters.named_layers(side), parameters.layers)

    def estimate(self, request: Request) -> Estimate:
        parameters: LayersParameters = request.parameters
        work = estimate_workload(request)
        counts = [
            len(chosen_layers(request.project, model, parameters.named_layers(side),
                              parameters.layers))
            for side, model in (("a", request.model_a), ("b", request.model_b))
        ]  # fmt: skip
        algebra = _ALGEBRA_SECONDS * work.classes * sum(counts)
        draws = parameters.replicates + parameters.permutations
        return Estimate(
            forwards=work.forwards,
            seconds=None if work.forward_seconds is None else work.forward_seconds + algebra,
            bytes=counts[0] * counts[1] * (work.units * draws * 4 + _BYTES_A_PAIR_AND_CLASS),
            units=work.units,
            notes=work.notes,
        )

    def plan(self, context: RunContext) -> Iterator[Unit]:
        return plan_units(context)

    def count_units(self, context: RunContext) -> int:
        return count_units(context)

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        if unit.images:
            return run_prediction_unit(unit, context)
        from analysis.audits.layers_unit import run_class_unit

        return run_class_unit(unit, context)

    def conclude(self, context: RunContext) -> None:
        """Means over the classes done so far (paper, Eq. 2), their intervals and nulls."""
        project, run = context.project, context.run
        units = [
            key
            for key, state in project.unit_states(run.id).items()
            # A unit none of whose classes could be read is done, and has nothing to add.
            if state == "done" and project.has_array(run.id, f"{key}/pearson")
        ]
        if not units:
            return
        summaries = [_Summary.read(project, run.id, unit) for unit in sorted(units)]
        layers = {
            side: chosen_layers(
                project, run.model(side), context.parameters.named_layers(side),
                context.parameters.layers,
            )
            for side in SIDES
        }  # fmt: skip
        rows = _mean_over_classes(summaries, layers["a"], layers["b"])
        for row in rows:
            row.update(model_a=run.model_a, model_b=run.model_b)
        project.replace_results(run.id, {"layer_similarity": rows})


@dataclass(frozen=True)
class _Summary:
    """One unit's sums over its classes; shapes (each of `measures`: classes, layers, layers),
    (replicates, permuted: draws, layers, layers; both summed over `counted` classes)."""

    measures: dict[str, np.ndarray]
    replicates: np.ndarray
    permuted: np.ndarray
    counted: np.ndarray

    @classmethod
    def read(cls, project: Project, run: int, unit: str) -> _Summary:
        def read(name: str) -> np.ndarray:
            return project.read_array(run, f"{unit}/{name}")

        pearson = read("pearson")
        measures = {"pearson": pearson}
        for name in PER_CLASS[1:]:
            # A unit done by an earlier version of Parallax has fewer measures.
            there = project.has_array(run, f"{unit}/{name}")
            measures[name] = read(name) if there else np.full_like(pearson, np.nan)
        return cls(measures, read("replicates"), read("permuted"), read("counted"))


def _mean_over_classes(
    summaries: Sequence[_Summary], layers_a: Sequence[str], layers_b: Sequence[str]
) -> list[dict[str, Any]]:
    measures = {
        name: np.concatenate([summary.measures[name] for summary in summaries])
        for name in PER_CLASS
    }
    pearson = measures["pearson"]
    counted = sum(summary.counted for summary in summaries)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = sum(summary.replicates for summary in summaries) / counted
        permuted = sum(summary.permuted for summary in summaries) / counted
        low, high = np.quantile(replicates, [0.025, 0.975], axis=0)
        null = np.quantile(permuted, 0.95, axis=0)
    columns = {
        **{_COLUMNS.get(name, name): _nan_mean(values) for name, values in measures.items()},
        "ci_low": low,
        "ci_high": high,
        "null_95": null,
    }
    rows = []
    for i, layer_a in enumerate(layers_a):
        for j, layer_b in enumerate(layers_b):
            row: dict[str, Any] = {"layer_a": layer_a, "layer_b": layer_b}
            for name, values in columns.items():
                row[name] = None if np.isnan(values[i, j]) else float(values[i, j])
            row["classes"] = int(np.isfinite(pearson[:, i, j]).sum())
            rows.append(row)
    return rows


def _nan_mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0.0).sum(0) / known.sum(0)
