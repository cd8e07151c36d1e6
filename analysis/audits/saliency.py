"""The audit `saliency`: where does each model look, and how far may the map be believed?

Maps of every method for every image and model, and their faithfulness, as in the thesis (section
2.2 and chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from analysis.audits.context import RunContext
from analysis.audits.dissection import chosen_images
from analysis.audits.grouping import ImageEntry, read_images
from analysis.audits.layer_names import has_places
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.errors import AuditError
from analysis.near_names import name_hint

if TYPE_CHECKING:
    from analysis.faithfulness.metrics import MeasureSettings
    from analysis.saliency.methods import MethodSettings

IMAGES_PER_UNIT = 8
_ALL = "all"
_BYTES_A_MAP = 400
_BYTES_A_VALUE = 60
_BYTES_A_SCORE = 9


@dataclass(frozen=True, kw_only=True)
class SaliencyParameters:
    """Everything that decides the numbers of a `saliency` run."""

    preset: str = parameter(
        "correct",
        "correct: as the methods and metrics are defined; thesis: as the thesis measured them",
        choices=("correct", "thesis"),
    )
    methods: str = parameter(
        "",
        "Methods separated by commas, as gradcam, rollout(3-5); empty: all but Score-CAM, which"
        " needs a forward a channel; all: every one",
    )
    metrics: str = parameter(
        "",
        "Metrics separated by commas; empty: all but max-sensitivity and randomisation, which"
        " explain each image many times; all: every one",
    )
    steps: int = parameter(
        224, "Steps of insertion and deletion from the first pixel to the last", minimum=1,
        maximum=50_176,
    )  # fmt: skip
    images: int = parameter(
        100, "Images at most, spread over the classes; 0: all", minimum=0, maximum=10_000_000
    )
    target: str = parameter(
        "predicted", "Class that is explained: predicted, label, or the name of a class"
    )
    head: str = parameter(
        "own",
        "own: classes of the models' own heads; probe: models without a head get a linear one,"
        " fitted to the labels of the images",
        choices=("own", "probe"),
    )
    layer: str = parameter(
        "",
        "Layer of the CAMs, in the models that have it; empty: the last with places of the image",
    )
    depth: bool = parameter(
        True, "Whether the attention of every layer and head of transformers is kept"
    )
    mask: str = parameter(
        "label",
        "What maps should lie on: label, the object called like the image's class; or the name of"
        " a concept of the label planes; empty: no localisation",
    )
    labels: str = parameter(
        "", "Label planes by name, separated by commas; empty: all that belong to the images"
    )
    resize: int = parameter(224, "Shorter side of the image, pixels", minimum=16, maximum=4096)
    frame: int = parameter(
        224, "Side of the central square that is looked at, pixels", minimum=16, maximum=4096
    )
    replicates: int = parameter(
        1000, "Bootstrap samples of images behind each interval", minimum=100, maximum=100_000
    )
    permutations: int = parameter(
        10_000, "Sign changes behind each paired test", minimum=100, maximum=100_000
    )
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    # Gradients and attention are taken in full precision.
    precision: ClassVar[str] = "float32"

    def chosen_methods(self) -> tuple[MethodSettings, ...]:
        """The methods asked for, as the preset has them.

        :raises AuditError: one of them cannot be read, or stands there twice.
        """
        from analysis.saliency.methods import METHODS, parse_methods, with_preset

        text = self.methods.strip()
        if not text:
            text = ",".join(name for name in METHODS if name != "scorecam")
        elif text.lower() == _ALL:
            text = ",".join(METHODS)
        return tuple(with_preset(one, self.preset) for one in parse_methods(text))  # type: ignore[arg-type]

    def chosen_metrics(self) -> tuple[str, ...]:
        """The metrics by name, localisation left out where no mask is asked for.

        :raises AuditError: one of them does not exist.
        """
        from analysis.faithfulness.metrics import METRICS, STANDARD, parse_metrics

        found = parse_metrics(self.metrics) if self.metrics.strip() else STANDARD
        localised = bool(self.mask.strip())
        return tuple(key for key in found if localised or "masks" not in METRICS[key].needs)

    def settings(self) -> MeasureSettings:
        """How the metrics are measured."""
        from analysis.faithfulness.metrics import preset_settings

        return preset_settings(self.preset, self.steps, self.seed)


class SaliencyAudit:
    """One unit a model and batch of images: all methods and all metrics."""

    def check(self, request: Request) -> None:
        parameters: SaliencyParameters = request.parameters
        parameters.chosen_methods()
        parameters.chosen_metrics()
        parameters.settings()
        if parameters.frame > parameters.resize:
            raise AuditError(
                f"A square of {parameters.frame} pixels cannot be cut from {parameters.resize}.",
                "Choose a frame that is not larger than the resized side.",
            )
        _check_layer(request, parameters.layer.strip())
        if not parameters.target.strip():
            raise AuditError("No class is named.", "Choose predicted, label, or a class by name.")
        labelled = request.project.value(
            "SELECT count(DISTINCT label) FROM image WHERE image_set = ?", (request.image_set,)
        )
        if parameters.target == "label" and not labelled:
            raise AuditError("The images have no labels.", "Explain the predicted class.")
        if parameters.head == "probe" and labelled < 2:
            raise AuditError(
                "A linear head needs images of two classes or more.", "Add labelled images."
            )

    def estimate(self, request: Request) -> Estimate:
        from analysis.audits.saliency_cost import estimate_model

        parameters: SaliencyParameters = request.parameters
        images = len(
            chosen_images(read_images(request.project, request.image_set), parameters.images)
        )
        costs = [estimate_model(request.project, name, parameters) for name in request.models]
        speeds = [cost.seconds for cost in costs]
        seconds = None if None in speeds else images * sum(speed or 0.0 for speed in speeds)
        numbers = sum(
            cost.methods
            * (_BYTES_A_MAP + cost.metrics * _BYTES_A_VALUE + cost.scores * _BYTES_A_SCORE)
            for cost in costs
        )
        batches = -(-images // IMAGES_PER_UNIT)
        return Estimate(
            forwards=images * sum(cost.forwards for cost in costs),
            seconds=seconds,
            bytes=images * numbers,
            units=batches * len(request.models),
            notes=tuple(
                f"{name}: {cost.methods} methods, {cost.forwards:,} forwards an image"
                for name, cost in zip(request.models, costs, strict=True)
            ),
        )

    def plan(self, context: RunContext) -> Iterator[Unit]:
        images = planned_images(context)
        for batch in range(-(-len(images) // IMAGES_PER_UNIT)):
            part = images[batch * IMAGES_PER_UNIT : (batch + 1) * IMAGES_PER_UNIT]
            for position, name in enumerate(context.run.models):
                yield Unit(
                    key=f"images/{batch}/models/{position}",
                    text=f"Explaining {name}",
                    model=name,
                    images=tuple(image.id for image in part),
                )

    def count_units(self, context: RunContext) -> int:
        return -(-len(planned_images(context)) // IMAGES_PER_UNIT) * len(context.run.models)

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        from analysis.audits.saliency_unit import run_images

        return run_images(unit, context)

    def conclude(self, context: RunContext) -> None:
        from analysis.audits.saliency_summary import summarise_run

        summarise_run(context)


def _check_layer(request: Request, layer: str) -> None:
    """At least one model must have the layer of the CAMs, with places of the image in it."""
    if not layer:
        return
    shapes = [
        request.project.value("SELECT shape FROM layer WHERE model = ? AND name = ?", (name, layer))
        for name in request.models
    ]
    if not any(shapes):
        known = {row["name"] for row in request.project.rows("SELECT name FROM layer")}
        raise AuditError(
            f"None of the models has a layer “{layer}”.",
            name_hint(layer, known, "Choose one from a model's list of layers."),
        )
    if not any(shape and has_places(shape) for shape in shapes):
        raise AuditError(
            f"The layer “{layer}” gives one vector for the whole image.",
            "Choose a layer with maps or tokens, as the one before it.",
        )


def planned_images(context: RunContext) -> tuple[ImageEntry, ...]:
    """The images of the run, whether or not they can be read."""
    return context.keep(
        "images",
        lambda: chosen_images(
            read_images(context.project, context.run.image_set), context.parameters.images
        ),
    )
