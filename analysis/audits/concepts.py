"""The audit `concepts`: can one model predict the other's concepts? (paper, Sec. 3; RSVC)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.audits.comparison import (
    ComparisonParameters,
    check_comparison,
    count_units,
    estimate_workload,
    plan_units,
    run_prediction_unit,
)
from analysis.audits.context import RunContext
from analysis.audits.layer_names import no_such_layer
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit

# Seconds of algebra a class takes beside the forwards, measured at 640 patches × 1,280 features.
_ALGEBRA_SECONDS = 1.5
_BYTES_A_COEFFICIENT = 9
_BYTES_A_PREVIEW = 9_000


@dataclass(frozen=True, kw_only=True)
class ConceptsParameters(ComparisonParameters):
    """Everything that decides the numbers of a `concepts` run."""

    layer_a: str = parameter(
        "penultimate", "Layer of the first model; penultimate is what its classifier sees"
    )
    layer_b: str = parameter("penultimate", "Layer of the second model")
    images_per_class: int = parameter(200, "Images a class at most", minimum=5, maximum=100_000)
    evaluation: str = parameter(
        "cross-fitted",
        "cross-fitted: every image is predicted by the regression that did not see it;"
        " held-out: the mean of the folds' regressions on images kept aside, as in the paper",
        choices=("cross-fitted", "held-out"),
    )
    held_out: float = parameter(
        0.3, "Share of a class's images kept aside for held-out evaluation", minimum=0.05,
        maximum=0.9,
    )  # fmt: skip
    penalty: float = parameter(
        0.1, "L1 penalty of the regression, with the loss halved as in celer", minimum=1e-6,
        maximum=10.0,
    )  # fmt: skip
    folds: int = parameter(5, "Folds over images", minimum=2, maximum=50)
    solver: str = parameter(
        "fast", "fast: all folds and targets at once; celer: the reference, one by one",
        choices=("fast", "celer"),
    )  # fmt: skip
    importance: str = parameter(
        "automatic",
        "automatic: of the logit where the classifier is linear, else of the log-probability",
        choices=("automatic", "logit", "log-probability"),
    )
    replicates: int = parameter(
        1000, "Bootstrap samples of images behind each interval", minimum=100, maximum=100_000
    )
    permutations: int = parameter(
        1000, "Shuffles of images behind what chance would give", minimum=100, maximum=100_000
    )
    stability_seeds: int = parameter(
        3, "Other starts the concepts are found again from, to see which are stable", minimum=0,
        maximum=20,
    )  # fmt: skip
    patches: int = parameter(10, "Patches a grid", minimum=1, maximum=100)

    def layer(self, side: str) -> str:
        return self.layer_a if side == "a" else self.layer_b


class ConceptsAudit:
    """Two models, one layer each, class by class."""

    def check(self, request: Request) -> None:
        parameters: ConceptsParameters = request.parameters
        check_comparison(request, parameters.images_per_class)
        for name, layer in (
            (request.model_a, parameters.layer_a),
            (request.model_b, parameters.layer_b),
        ):
            rows = request.project.rows("SELECT name FROM layer WHERE model = ?", (name,))
            known = [row["name"] for row in rows]
            if layer not in known:
                hint = "Choose one of the model's layers; penultimate always exists."
                raise no_such_layer(name, layer, known, hint)

    def estimate(self, request: Request) -> Estimate:
        work = estimate_workload(request)
        seconds = work.forward_seconds
        coefficients = work.images * request.parameters.patches_per_image()
        coefficients *= request.parameters.components
        return Estimate(
            forwards=work.forwards,
            seconds=None if seconds is None else seconds + _ALGEBRA_SECONDS * work.classes,
            bytes=coefficients * _BYTES_A_COEFFICIENT + work.images * _BYTES_A_PREVIEW,
            units=work.units,
            notes=(*work.notes, *self._importance_notes(request)),
        )

    def _importance_notes(self, request: Request) -> list[str]:
        notes = []
        parameters: ConceptsParameters = request.parameters
        for side, name in (("a", request.model_a), ("b", request.model_b)):
            classes = request.project.value("SELECT num_classes FROM model WHERE name = ?", (name,))
            if not classes:
                notes.append(f"“{name}” has no classifier: its concepts get no importance.")
            elif parameters.layer(side) != "penultimate":
                notes.append(
                    f"Importance is found at the penultimate layer only, not at"
                    f" “{parameters.layer(side)}” of “{name}”."
                )
        return notes

    def plan(self, context: RunContext) -> Iterator[Unit]:
        return plan_units(context)

    def count_units(self, context: RunContext) -> int:
        return count_units(context)

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        if unit.images:
            return run_prediction_unit(unit, context)
        from analysis.audits.concepts_unit import run_class_unit

        return run_class_unit(unit, context)

    def conclude(self, context: RunContext) -> None:
        """Importance as a share of the model's most important concept (paper, Fig. 3)."""
        with context.project.transaction() as connection:
            for side in ("a", "b"):
                connection.execute(
                    "UPDATE concept SET importance = abs(importance_signed) / nullif("
                    "(SELECT max(abs(importance_signed)) FROM concept WHERE run = ?1 AND side = ?2)"
                    ", 0) WHERE run = ?1 AND side = ?2 AND importance_signed IS NOT NULL",
                    (context.run.id, side),
                )
