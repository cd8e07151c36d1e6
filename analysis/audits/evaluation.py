"""The audit `evaluation`: how well do a model's features tell the classes of an image set apart?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.audits.context import RunContext
from analysis.audits.grouping import read_images
from analysis.audits.layer_names import no_such_layer
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.errors import AuditError

if TYPE_CHECKING:
    from analysis.evaluation.splits import Split
    from analysis.evaluation.tasks import TaskSettings

# Seconds a model's tasks take beside its forwards, an image, as measured on two cores.
_SECONDS_AN_IMAGE = 0.02
_BYTES_A_PROBABILITY = 8


@dataclass(frozen=True, kw_only=True)
class EvaluationParameters:
    """Everything that decides the numbers of an `evaluation` run."""

    layer: str = parameter("penultimate", "Layer whose features are used")
    neighbours: str = parameter(
        "10,20,100,200", "k of the weighted k-NN, separated by commas; empty: no k-NN"
    )
    temperature: float = parameter(
        0.07, "Temperature of the neighbours' votes", minimum=0.001, maximum=100
    )
    probe: bool = parameter(True, "Whether a linear classifier is fitted to the features")
    shots: str = parameter(
        "5,10,50", "Images a prototype is the mean of, separated by commas; empty: no prototypes"
    )
    episodes: int = parameter(200, "Draws of prototypes", minimum=1, maximum=100_000)
    queries: int = parameter(15, "Images a class asked for in a draw", minimum=1, maximum=10_000)
    folds: int = parameter(
        5, "Parts for cross-validation, where the images have no train and test split", minimum=2,
        maximum=100,
    )  # fmt: skip
    ensembles: bool = parameter(True, "Whether pairs of models are tried as weighted soft votes")
    replicates: int = parameter(
        1000, "Bootstrap samples of images behind each interval", minimum=100, maximum=100_000
    )
    precision: str = parameter(
        "float32",
        "Arithmetic of the networks; half precision is faster on most processors",
        choices=("float32", "bfloat16", "float16"),
    )
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    def settings(self) -> TaskSettings:
        """The tasks as the engine takes them.

        :raises AuditError: numbers of neighbours or shots that are none.
        """
        from analysis.evaluation.tasks import TaskSettings

        return TaskSettings(
            neighbours=parse_numbers(self.neighbours, "neighbours"),
            temperature=self.temperature,
            probe=self.probe,
            shots=parse_numbers(self.shots, "shots"),
            episodes=self.episodes,
            queries=self.queries,
            replicates=self.replicates,
            seed=self.seed,
        )


def parse_numbers(text: str, what: str) -> tuple[int, ...]:
    """Whole positive numbers separated by commas, ascending.

    :raises AuditError: something else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and 0 < len(part) < 10 and int(part) for part in parts):
        raise AuditError(
            f"“{text}” are no numbers of {what}.", "Give whole numbers separated by commas."
        )
    return tuple(sorted({int(part) for part in parts}))


def labelled_split(request_images: Any, folds: int, seed: int) -> Split:
    """The division of (images with label and split) that every model of a run shares.

    :raises AuditError: fewer than two classes with enough images.
    """
    from analysis.evaluation.splits import make_split

    labels = [image["label"] for image in request_images]
    return make_split(labels, [image["split"] for image in request_images], folds, seed)


class EvaluationAudit:
    """One unit a model; pairs of models when their probabilities are there."""

    def check(self, request: Request) -> None:
        parameters: EvaluationParameters = request.parameters
        settings = parameters.settings()
        if not (settings.neighbours or settings.probe or settings.shots):
            raise AuditError("There is no task to do.", "Choose k-NN, the probe or prototypes.")
        for name in request.models:
            rows = request.project.rows("SELECT name FROM layer WHERE model = ?", (name,))
            known = [row["name"] for row in rows]
            if parameters.layer not in known:
                hint = "The layer penultimate exists in every model."
                raise no_such_layer(name, parameters.layer, known, hint)
        labelled_split(self._labels(request), parameters.folds, parameters.seed)

    @staticmethod
    def _labels(request: Request) -> Any:
        return request.project.rows(
            "SELECT label, split FROM image WHERE image_set = ? ORDER BY path",
            (request.image_set,),
        )

    def estimate(self, request: Request) -> Estimate:
        images = len(read_images(request.project, request.image_set))
        parameters: EvaluationParameters = request.parameters
        split = labelled_split(self._labels(request), parameters.folds, parameters.seed)
        speeds = [
            request.project.value("SELECT seconds_per_image FROM model WHERE name = ?", (name,))
            for name in request.models
        ]
        seconds = None if None in speeds else images * sum(speeds)
        tasks = len(parameters.settings().neighbours) + parameters.probe
        per_model = images * _SECONDS_AN_IMAGE * (parameters.probe + 0.1)
        return Estimate(
            forwards=images * len(request.models),
            seconds=None if seconds is None else seconds + per_model * len(request.models),
            bytes=len(request.models) * images * len(split.classes) * tasks * _BYTES_A_PROBABILITY,
            units=len(request.models),
            notes=tuple(f"{what} is left out: {why}" for what, why in split.left_out),
        )

    def plan(self, context: RunContext) -> Iterator[Unit]:
        for position, name in enumerate(context.run.models):
            yield Unit(key=f"models/{position}", text=f"Evaluating {name}", model=name)

    def count_units(self, context: RunContext) -> int:
        return len(context.run.models)

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        from analysis.audits.evaluation_unit import run_model

        return run_model(unit, context)

    def conclude(self, context: RunContext) -> None:
        from analysis.audits.evaluation_unit import ensemble_rows

        if context.parameters.ensembles:
            context.project.replace_results(context.run.id, {"ensemble": ensemble_rows(context)})
