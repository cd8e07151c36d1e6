"""The audit `layers`: how similar are the concepts of every pair of layers? (paper, Sec. 3.2.1)"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from analysis.audits.layer_names import no_such_layer
from analysis.audits.layers_summary import UnitSummary, mean_over_classes
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.name_lists import split_names
from analysis.project import Project

# Seconds of algebra a class and layer takes beside the forwards, as measured on two cores.
_ALGEBRA_SECONDS = 0.65
_BYTES_A_PAIR_AND_CLASS = 700


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
        200,
        "Bootstrap samples of images behind each interval of MMCS (Pearson); the other measures'"
        " intervals come from leaving images out",
        minimum=100,
        maximum=10_000,
    )
    permutations: int = parameter(
        100, "Shuffles of images behind what chance would give", minimum=50, maximum=10_000
    )
    procrustes_permutations: int = parameter(
        12,
        "Shuffles of images behind what chance would give Procrustes, shared out among the classes"
        " (at least one each): each costs as much as the measure itself",
        minimum=4,
        maximum=10_000,
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
            raise no_such_layer(model, missing[0], known)
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
        # Shuffles of MMCS by values and by ranks, of CKA and of RSA are kept.
        draws = parameters.replicates + 4 * parameters.permutations
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
        summaries = [UnitSummary.read(project, run.id, unit) for unit in sorted(units)]
        layers = {
            side: chosen_layers(
                project, run.model(side), context.parameters.named_layers(side),
                context.parameters.layers,
            )
            for side in SIDES
        }  # fmt: skip
        rows = mean_over_classes(summaries, layers["a"], layers["b"])
        for row in rows:
            row.update(model_a=run.model_a, model_b=run.model_b)
        project.replace_results(run.id, {"layer_similarity": rows})
