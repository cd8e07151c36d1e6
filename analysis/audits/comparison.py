"""What the two comparisons of models, `concepts` and `layers`, have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.context import SIDES, RunContext
from analysis.audits.grouping import (
    Grouping,
    ImageEntry,
    group_by_label,
    group_by_prediction,
    read_images,
)
from analysis.audits.parameters import parameter
from analysis.audits.plan import Request, Results, Unit
from analysis.concepts.presets import Preset
from analysis.errors import AuditError
from analysis.name_lists import split_names

if TYPE_CHECKING:
    from analysis.images.frames import PatchGrid

PREDICTION_BATCH = 256
_CLASSES_PER_UNIT = 8
_FEW_CLASSES = 40


@dataclass(frozen=True, kw_only=True)
class ComparisonParameters:
    """Images, patches and the rest that both comparisons need."""

    preset: Preset = parameter(  # noqa: RUF009 - a dataclass field like the others
        "paper",
        "paper: as published, converged and complete; reference: as the authors' code does it"
        " (half replacement, 10 semi-NMF iterations, one exclusion)",
        choices=("paper", "reference"),
    )
    group_by: str = parameter(
        "label",
        "label: a class is the images of a label; prediction: the images either model predicts"
        " to be of the class",
        choices=("label", "prediction"),
    )
    classes: str = parameter("", "Only these classes, separated by commas; empty means all")
    components: int = parameter(10, "Concepts a class and model", minimum=2, maximum=100)
    minimum_images: int = parameter(
        10, "Classes with fewer images are left out", minimum=5, maximum=100_000
    )
    resize: int = parameter(
        224, "Shorter side of the image before patches are cut, pixels", minimum=16, maximum=4096
    )
    frame: int = parameter(
        224, "Side of the central square that is cut into patches, pixels", minimum=16, maximum=4096
    )
    patch: int = parameter(64, "Side of a patch, pixels", minimum=4, maximum=4096)
    stride: int = parameter(51, "Distance between patches, pixels", minimum=1, maximum=4096)
    precision: str = parameter(
        "float32",
        "Arithmetic of the networks; half precision is faster on most processors",
        choices=("float32", "bfloat16", "float16"),
    )
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    def grid(self) -> PatchGrid:
        from analysis.images.frames import PatchGrid

        return PatchGrid(self.patch, self.stride)

    def patches_per_image(self) -> int:
        along = (self.frame - self.patch) // self.stride + 1
        return along * along


def check_comparison(request: Request, images_per_class: int) -> None:
    """Refuse parameters that cannot work together."""
    parameters = request.parameters
    if parameters.frame > parameters.resize:
        raise AuditError(
            "The square cut into patches is larger than the resized image.",
            "Choose a frame of at most the resized side.",
        )
    if parameters.patch > parameters.frame:
        raise AuditError(
            "A patch is larger than the square it is cut from.", "Choose a smaller patch."
        )
    if parameters.minimum_images > images_per_class:
        raise AuditError(
            "The least number of images a class is larger than the most.",
            "Lower the minimum or raise the number of images a class.",
        )
    if parameters.group_by == "prediction":
        _check_predictions(request)
    else:
        label_grouping(request, images_per_class)


def _check_predictions(request: Request) -> None:
    counts = {}
    for name in (request.model_a, request.model_b):
        row = request.project.row("SELECT num_classes FROM model WHERE name = ?", (name,))
        counts[name] = row["num_classes"] if row else 0
        if not counts[name]:
            raise AuditError(
                f"“{name}” has no classifier, so it predicts no class.", "Group by label instead."
            )
    if len(set(counts.values())) > 1:
        described = " and ".join(f"“{name}” {count}" for name, count in counts.items())
        raise AuditError(
            f"The models predict different sets of classes: {described}.",
            "Group by label instead.",
        )


def label_grouping(request: Request, images_per_class: int) -> Grouping:
    """Classes by label, as a request or a run asks for them."""
    parameters = request.parameters
    return group_by_label(
        read_images(request.project, request.image_set),
        limit=images_per_class,
        minimum=parameters.minimum_images,
        seed=parameters.seed,
        only=split_names(parameters.classes),
    )


def request_of(context: RunContext) -> Request:
    """The request a run was made from."""
    run = context.run
    return Request(context.project, run.models, run.image_set, context.parameters)


def images_of_run(context: RunContext) -> tuple[ImageEntry, ...]:
    """The images of a run's set, read once."""
    return context.keep("images", lambda: read_images(context.project, context.run.image_set))


def prediction_units(context: RunContext) -> Iterator[Unit]:
    """Units that find what each model predicts for each image; none when grouping by label."""
    if context.parameters.group_by != "prediction":
        return
    images = images_of_run(context)
    for side in _distinct_sides(context):
        for start in range(0, len(images), PREDICTION_BATCH):
            members = images[start : start + PREDICTION_BATCH]
            yield Unit(
                key=f"predictions/{side}/{start}",
                text=f"Predicting classes with {context.run.model(side)}",
                model=context.run.model(side),
                images=tuple(image.id for image in members),
            )


def _distinct_sides(context: RunContext) -> Sequence[str]:
    return SIDES if context.run.model_a != context.run.model_b else SIDES[:1]


def run_prediction_unit(unit: Unit, context: RunContext) -> Results:
    """What one model predicts for a batch of images."""
    wanted = set(unit.images)
    images = [image for image in images_of_run(context) if image.id in wanted]
    predicted, problems = context.features.predict(
        unit.model, images, context.stepper(0, 1, unit.text)
    )
    ids = np.array([image.id for image in images], dtype=np.int64)
    return Results(arrays={unit.key: np.stack([ids, predicted])}, problems=problems)


def grouping_of(context: RunContext, images_per_class: int) -> Grouping:
    """The classes of a run; by prediction, from what its prediction units have committed."""
    return context.keep("grouping", lambda: _make_grouping(context, images_per_class))


def _make_grouping(context: RunContext, images_per_class: int) -> Grouping:
    if context.parameters.group_by == "label":
        return label_grouping(request_of(context), images_per_class)
    parameters = context.parameters
    by_side = {side: _predictions(context, side) for side in _distinct_sides(context)}
    return group_by_prediction(
        images_of_run(context),
        by_side["a"],
        by_side.get("b", by_side["a"]),
        limit=images_per_class,
        minimum=parameters.minimum_images,
        seed=parameters.seed,
        only=split_names(parameters.classes),
    )


def _predictions(context: RunContext, side: str) -> dict[int, str]:
    names = class_names(context, context.run.model(side))
    found: dict[int, str] = {}
    for unit in prediction_units(context):
        if unit.model != context.run.model(side):
            continue
        ids, classes = context.project.read_array(context.run.id, unit.key)
        for image, index in zip(ids.tolist(), classes.tolist(), strict=True):
            if index >= 0:
                found[image] = names[index]
    return found


def class_names(context: RunContext, name: str) -> Sequence[str]:
    """Names of a model's outputs; numbers where it has no names, made unique where they repeat."""
    model = context.features.model(name)
    return unique_class_names(model.class_names or (), model.num_classes)


@cache
def unique_class_names(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Names of `count` classes; numbers where there are none, made unique where they repeat."""
    if len(names) != count:
        return tuple(f"class {index}" for index in range(count))
    repeated = {name for name, times in Counter(names).items() if times > 1}
    return tuple(
        f"{name} ({index})" if name in repeated else name for index, name in enumerate(names)
    )


def class_units(grouping: Grouping) -> list[Unit]:
    """Units of classes: one class each while there are few, so that results appear soon."""
    per_unit = 1 if len(grouping.classes) <= _FEW_CLASSES else _CLASSES_PER_UNIT
    names = [group.name for group in grouping.classes]
    units = []
    for start in range(0, len(names), per_unit):
        members = tuple(names[start : start + per_unit])
        text = members[0] if len(members) == 1 else f"{len(members)} classes from {members[0]}"
        units.append(Unit(key=f"classes/{start}", text=text, classes=members))
    return units


def plan_units(context: RunContext) -> Iterator[Unit]:
    """Predictions first where classes depend on them, then the classes."""
    yield from prediction_units(context)
    yield from class_units(grouping_of(context, context.parameters.images_per_class))


def count_units(context: RunContext) -> int:
    """How many units `plan_units` gives, as far as is known before all predictions are made."""
    predictions = list(prediction_units(context))
    states = context.project.unit_states(context.run.id)
    if any(states.get(unit.key) != "done" for unit in predictions):
        return len(predictions) + 1
    grouping = grouping_of(context, context.parameters.images_per_class)
    return len(predictions) + len(class_units(grouping))


@dataclass(frozen=True)
class Workload:
    """What both comparisons have to do before their algebra."""

    images: int
    classes: int
    units: int
    forwards: int
    forward_seconds: float | None  # None until both models' speed is known
    notes: tuple[str, ...]


def estimate_workload(request: Request) -> Workload:
    """Images, classes and forwards of the run asked for."""
    parameters = request.parameters
    predictions = 0
    if parameters.group_by == "label":
        grouping = label_grouping(request, parameters.images_per_class)
        images = sum(len(group.images) for group in grouping.classes)
        classes, units = len(grouping.classes), len(class_units(grouping))
        notes = tuple(f"{name} is left out: {reason}" for name, reason in grouping.problems)
    else:
        images = predictions = request.project.value(
            "SELECT count(*) FROM image WHERE image_set = ?", (request.image_set,)
        )
        classes = units = max(1, images // parameters.minimum_images)
        notes = ("The number of classes is known once the models have predicted them.",)
    inputs = images * parameters.patches_per_image() + predictions
    speeds = [
        request.project.value("SELECT seconds_per_image FROM model WHERE name = ?", (name,))
        for name in (request.model_a, request.model_b)
    ]
    seconds = None if None in speeds else inputs * sum(speeds)
    return Workload(images, classes, units, 2 * inputs, seconds, notes)


def kept_rows(images: Sequence[ImageEntry], wanted: frozenset[int], per_image: int) -> np.ndarray:
    """Which rows of an (images × patches) matrix belong to the images wanted: bool."""
    return np.repeat([image.id in wanted for image in images], per_image)
