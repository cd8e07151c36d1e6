"""The audit `dissection`: which concept does each unit of a layer stand for?

Network Dissection (Bau et al. 2017, 2020) as the LCE paper uses it, section 2.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from analysis.audits.context import RunContext
from analysis.audits.grouping import ImageEntry, read_images
from analysis.audits.layer_names import has_places, no_such_layer
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.errors import AuditError
from analysis.name_lists import split_names
from analysis.near_names import name_hint
from analysis.project import Project

_SECONDS_A_UNIT_AND_IMAGE = 4e-6  # thresholds, tally and null, as measured on two cores
_BYTES_A_PATCH = 160


@dataclass(frozen=True, kw_only=True)
class DissectionParameters:
    """Everything that decides the numbers of a `dissection` run."""

    quantile: float = parameter(
        0.01,
        "Share of a unit's activations that count as active (Dissect 0.01, NetDissect 0.005)",
        minimum=0.00001,
        maximum=0.5,
    )
    iou_threshold: float = parameter(
        0.04, "A unit stands for a concept if its IoU is above this", minimum=0, maximum=1
    )
    layers: str = parameter(
        "", "Layers by name, separated by commas; empty: the last one with maps or tokens"
    )
    labels: str = parameter(
        "", "Label planes by name, separated by commas; empty: all that belong to the images"
    )
    colours: bool = parameter(True, "Whether the eleven basic colours count as concepts")
    image_labels: bool = parameter(False, "Whether the class of the whole image counts as concept")
    quadrants: bool = parameter(
        False, "Whether halves of objects (top, bottom, left, right) count as parts"
    )
    segmenter: str = parameter(
        "", "Folder or hub name of a segmentation model that labels the images; empty: none"
    )
    images: int = parameter(
        0, "Images at most, spread over the classes; 0: all", minimum=0, maximum=10_000_000
    )
    resolution: int = parameter(
        56, "Side of the grid on which activations and labels are compared", minimum=4, maximum=448
    )
    resize: int = parameter(224, "Shorter side of the image, pixels", minimum=16, maximum=4096)
    frame: int = parameter(
        224, "Side of the central square that is looked at, pixels", minimum=16, maximum=4096
    )
    permutations: int = parameter(
        100, "Shuffles of images behind what chance would give", minimum=20, maximum=10_000
    )
    candidates: int = parameter(5, "Concepts listed with each unit", minimum=1, maximum=50)
    patches: int = parameter(9, "Images shown with each unit", minimum=1, maximum=50)
    sweep: str = parameter(
        "0.005,0.02", "Further quantiles at which interpretable units are counted"
    )
    precision: str = parameter(
        "float32",
        "Arithmetic of the networks; half precision is faster on most processors",
        choices=("float32", "bfloat16", "float16"),
    )
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    def quantiles(self) -> tuple[float, ...]:
        """The quantile of the run first, then those of the sweep.

        :raises AuditError: the sweep names something else than shares.
        """
        found = [self.quantile]
        for part in (part.strip() for part in self.sweep.split(",")):
            if not part:
                continue
            try:
                share = float(part)
            except ValueError as error:
                raise _bad_sweep(part) from error
            if not 0 < share <= 0.5:
                raise _bad_sweep(part)
            if share not in found:
                found.append(share)
        return tuple(found)


def _bad_sweep(text: str) -> AuditError:
    return AuditError(
        f"“{text}” is no share of activations.", "Give numbers such as 0.005, separated by commas."
    )


def dissected_layers(project: Project, model: str, names: str) -> tuple[str, ...]:
    """The layers of a model that are dissected: those named, or the last one with maps or tokens.

    :raises AuditError: the model has no such layer, or it gives one vector for the whole image.
    """
    rows = project.rows(
        "SELECT name, shape, spread FROM layer WHERE model = ? ORDER BY position", (model,)
    )
    spatial = {row["name"]: has_places(row["shape"]) for row in rows}
    wanted = split_names(names)
    if not wanted:
        typical = [row["name"] for row in rows if row["spread"] and spatial[row["name"]]]
        typical = typical or [name for name, has_places in spatial.items() if has_places]
        if not typical:
            raise AuditError(
                f"No layer of “{model}” has places: each gives one vector for the whole image.",
                "Choose a model with maps or tokens.",
            )
        return (typical[-1],)
    known = [name for name in wanted if name in spatial]
    if not known:
        raise no_such_layer(model, wanted[0], spatial)
    for name in known:
        if not spatial[name]:
            raise AuditError(
                f"The layer “{name}” of “{model}” gives one vector for the whole image.",
                "Choose a layer with maps or tokens, as the one before it.",
            )
    return tuple(dict.fromkeys(known))


def chosen_images(images: Sequence[ImageEntry], limit: int) -> tuple[ImageEntry, ...]:
    """At most `limit` images, evenly spread over the list, which stands in order of the classes."""
    if not limit or len(images) <= limit:
        return tuple(images)
    return tuple(images[len(images) * place // limit] for place in range(limit))


def _check_all_found(request: Request, names: str, found: Collection[str]) -> None:
    """Models may lack some of the layers named, but each layer has to be in one of them.

    :raises AuditError: a layer is in none of the models.
    """
    for layer in split_names(names):
        if layer not in found:
            known = {row["name"] for row in request.project.rows("SELECT name FROM layer")}
            otherwise = "Choose layers from the lists of the models' layers."
            raise AuditError(
                f"None of the models has a layer “{layer}”.", name_hint(layer, known, otherwise)
            )


class DissectionAudit:
    """One unit a model: all its layers from one forward."""

    def check(self, request: Request) -> None:
        from analysis.audits.label_sources import label_planes, plane_images
        from analysis.images.frames import Frame

        parameters: DissectionParameters = request.parameters
        parameters.quantiles()
        chosen = {
            layer
            for name in request.models
            for layer in dissected_layers(request.project, name, parameters.layers)
        }
        _check_all_found(request, parameters.layers, chosen)
        images = chosen_images(read_images(request.project, request.image_set), parameters.images)
        label_planes(
            request.project,
            request.image_set,
            plane_images(request.project, images),
            parameters,
            Frame(parameters.resize, parameters.frame),
        )

    def estimate(self, request: Request) -> Estimate:
        parameters: DissectionParameters = request.parameters
        images = len(
            chosen_images(read_images(request.project, request.image_set), parameters.images)
        )
        speeds: list[float | None] = []
        units = 0
        for name in request.models:
            row = request.project.row("SELECT seconds_per_image FROM model WHERE name = ?", (name,))
            speeds.append(row["seconds_per_image"] if row else None)
            for layer in dissected_layers(request.project, name, parameters.layers):
                units += request.project.value(
                    "SELECT channels FROM layer WHERE model = ? AND name = ?", (name, layer)
                )
        known = [speed for speed in speeds if speed is not None]
        forward = images * sum(known) if len(known) == len(speeds) else None
        algebra = units * images * _SECONDS_A_UNIT_AND_IMAGE * len(parameters.quantiles())
        return Estimate(
            forwards=images * len(request.models),
            seconds=None if forward is None else forward + algebra,
            bytes=units * (parameters.patches * _BYTES_A_PATCH + 200),
            units=len(request.models),
            notes=self._notes(request),
        )

    @staticmethod
    def _notes(request: Request) -> tuple[str, ...]:
        parameters: DissectionParameters = request.parameters
        found = [
            f"{name}: {', '.join(dissected_layers(request.project, name, parameters.layers))}"
            for name in request.models
        ]
        return tuple(found)

    def plan(self, context: RunContext) -> Iterator[Unit]:
        for position, name in enumerate(context.run.models):
            yield Unit(key=f"models/{position}", text=f"Dissecting {name}", model=name)

    def count_units(self, context: RunContext) -> int:
        return len(context.run.models)

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        from analysis.audits.dissection_unit import run_model

        return run_model(unit, context)

    def conclude(self, context: RunContext) -> None:
        """Nothing: a model's units do not depend on other models."""
