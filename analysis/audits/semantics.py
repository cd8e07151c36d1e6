"""The audit `semantics`: how alike are the feature spaces of two models, seen from concepts?

SFSS and TCAV for concepts given by examples, UCS for concepts found without labels (Mikriukov et
al. 2023, from the published formulas; Kim et al. 2018; Zhang et al. 2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.audits.context import SIDES, RunContext
from analysis.audits.dissection import chosen_images
from analysis.audits.grouping import read_images
from analysis.audits.layer_names import has_places, no_such_layer
from analysis.audits.layers import chosen_layers
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.errors import AuditError
from analysis.name_lists import split_names
from analysis.project import Project

_SECONDS_A_VECTOR = 0.1  # a concept in a layer, with its null, as measured on two cores
_GRID = tuple(round(0.1 * step, 1) for step in range(1, 10))  # of the robustness curve
_BYTES_A_ROW = 120
_PENULTIMATE = "penultimate"  # pooled for the classifier, even where it comes as a map


@dataclass(frozen=True, kw_only=True)
class SemanticsParameters:
    """Everything that decides the numbers of a `semantics` run."""

    concepts: str = parameter(
        "", "Concepts given by examples, or labels of the label planes, by name, separated by"
        " commas; empty: all given by examples, or else the commonest labels",
    )  # fmt: skip
    most_concepts: int = parameter(
        12, "Commonest labels that are taken where no concept is given", minimum=1, maximum=200
    )
    labels: str = parameter(
        "", "Label planes by name, separated by commas; empty: all that belong to the images"
    )
    examples: int = parameter(60, "Examples a concept at most", minimum=6, maximum=10_000)
    negatives: int = parameter(
        200, "Random examples that a concept is told from", minimum=6, maximum=10_000
    )
    random_sets: int = parameter(
        50, "Random sets of negatives, one concept vector each", minimum=2, maximum=5000
    )
    layers: int = parameter(8, "Layers a model, spread over its depth", minimum=1, maximum=1000)
    layers_a: str = parameter(
        "", "Layers of the first model by name, separated by commas; empty means spread evenly"
    )
    layers_b: str = parameter("", "Layers of the second model by name")
    classes: str = parameter(
        "", "Classes for TCAV by name, separated by commas; empty: the labels that the model has"
        " as classes",
    )  # fmt: skip
    class_names: str = parameter(
        "", "What the models call a label, for TCAV, as label=class, separated by commas: where"
        " both have other names for one thing",
    )  # fmt: skip
    images: int = parameter(
        200, "Images at most, spread over the classes; 0: all", minimum=0, maximum=10_000_000
    )
    mask_layers_a: str = parameter(
        "", "Layers of the first model in which concepts are found; empty: the last with places"
    )
    mask_layers_b: str = parameter("", "Layers of the second model in which concepts are found")
    components: int = parameter(10, "Concepts found in a layer", minimum=2, maximum=100)
    thresholds: str = parameter(
        "0.5,0.75", "Thresholds of masks, separated by commas; those of 0.1 to 0.9 are added"
    )
    normalisation: str = parameter(
        "data set",
        "image: each image's own greatest is 1, as published, so that every image has a mask; data"
        " set: the greatest of all images is",
        choices=("image", "data set"),
    )
    presence: float = parameter(
        0.1, "A concept is not in images where it stays below this share of its greatest",
        minimum=0, maximum=1,
    )  # fmt: skip
    mask_side: int = parameter(56, "Side of the grid of masks", minimum=4, maximum=448)
    resize: int = parameter(224, "Shorter side of the image, pixels", minimum=16, maximum=4096)
    frame: int = parameter(
        224, "Side of the central square that is looked at, pixels", minimum=16, maximum=4096
    )
    replicates: int = parameter(
        1000, "Bootstrap samples of images behind each interval", minimum=100, maximum=100_000
    )
    permutations: int = parameter(
        200, "Shuffles behind what chance would give", minimum=50, maximum=10_000
    )
    precision: str = parameter(
        "float32",
        "Arithmetic of the networks; half precision is faster on most processors",
        choices=("float32", "bfloat16", "float16"),
    )
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    def mask_thresholds(self) -> tuple[float, ...]:
        """All thresholds of masks, ascending.

        :raises AuditError: something that is no share between 0 and 1.
        """
        found = set(_GRID)
        for part in filter(None, (part.strip() for part in self.thresholds.split(","))):
            try:
                share = float(part)
            except ValueError as error:
                raise _bad_threshold(part) from error
            if not 0 < share < 1:
                raise _bad_threshold(part)
            found.add(share)
        return tuple(sorted(found))

    def named_classes(self) -> dict[str, str]:
        """Classes of the models by the label of the images that they stand for, in lower case.

        :raises AuditError: a part that is not label=class, or a label twice.
        """
        found: dict[str, str] = {}
        for part in split_names(self.class_names):
            label, sign, name = (piece.strip() for piece in part.partition("="))
            if not (label and sign and name) or label.casefold() in found:
                raise AuditError(
                    f"“{part}” does not say which class stands for a label.",
                    "Give each label once, as vehicle=sports car,bird=robin.",
                )
            found[label.casefold()] = name.casefold()
        return found

    def named_layers(self, side: str) -> tuple[str, ...]:
        """Layers asked for by name of a side, “a” or “b”."""
        return split_names(self.layers_a if side == "a" else self.layers_b)

    def named_mask_layers(self, side: str) -> tuple[str, ...]:
        """Layers asked for by name in which concepts are found."""
        return split_names(self.mask_layers_a if side == "a" else self.mask_layers_b)


def _bad_threshold(text: str) -> AuditError:
    return AuditError(f"“{text}” is no threshold of masks.", "Give shares such as 0.5,0.75.")


def vector_layers(project: Project, model: str, parameters: SemanticsParameters, side: str
                  ) -> list[str]:  # fmt: skip
    """The layers of a side that concept vectors are trained in."""
    return chosen_layers(project, model, parameters.named_layers(side), parameters.layers)


def mask_layers(project: Project, model: str, names: tuple[str, ...]) -> list[str]:
    """The layers that concepts are found in: those named, or the last one with places.

    :raises AuditError: the model has no such layer, or it gives one vector for the whole image.
    """
    rows = project.rows(
        "SELECT name, shape, spread FROM layer WHERE model = ? ORDER BY position", (model,)
    )
    spatial = {
        row["name"]: has_places(row["shape"]) and row["name"] != _PENULTIMATE for row in rows
    }
    for name in names:
        if name not in spatial:
            raise no_such_layer(model, name, spatial)
        if not spatial[name]:
            raise AuditError(
                f"The layer “{name}” of “{model}” gives one vector for the whole image.",
                "Choose a layer with maps or tokens, as the one before it.",
            )
    if names:
        return list(dict.fromkeys(names))
    typical = [row["name"] for row in rows if row["spread"] and spatial[row["name"]]]
    return typical[-1:] or [name for name, places in spatial.items() if places][-1:]


class SemanticsAudit:
    """Units: vectors of either model, their comparison, masks of either model, their comparison."""

    def check(self, request: Request) -> None:
        parameters: SemanticsParameters = request.parameters
        parameters.mask_thresholds()
        parameters.named_classes()
        if parameters.frame > parameters.resize:
            raise AuditError(
                f"A square of {parameters.frame} pixels cannot be cut from {parameters.resize}.",
                "Choose a frame that is not larger than the resized side.",
            )
        for side, model in zip(SIDES, request.models, strict=True):
            vector_layers(request.project, model, parameters, side)
            mask_layers(request.project, model, parameters.named_mask_layers(side))

    def estimate(self, request: Request) -> Estimate:
        parameters: SemanticsParameters = request.parameters
        project = request.project
        images = len(chosen_images(read_images(project, request.image_set), parameters.images))
        named = len(split_names(parameters.concepts))
        given = project.value("SELECT count(*) FROM concept_set")
        concepts = named or given or parameters.most_concepts
        crops = concepts * (parameters.examples + parameters.negatives)
        forwards, seconds, layers = 0, 0.0, []
        for side, model in zip(SIDES, request.models, strict=True):
            row = project.row("SELECT seconds_per_image FROM model WHERE name = ?", (model,))
            speed = row["seconds_per_image"] if row is not None else None
            passes = crops + 4 * images  # attributions, gradients (twice as long), masks
            forwards += passes
            seconds = float("nan") if speed is None else seconds + passes * speed
            layers.append(len(vector_layers(project, model, parameters, side)))
        rows = concepts * (layers[0] * layers[1] + sum(layers))
        rows += parameters.components**2 * len(parameters.mask_thresholds())
        known = seconds == seconds
        return Estimate(
            forwards=forwards,
            seconds=seconds + concepts * sum(layers) * _SECONDS_A_VECTOR if known else None,
            bytes=rows * _BYTES_A_ROW + 2 * images * parameters.components * 200,
            units=6,
        )

    def plan(self, context: RunContext) -> Iterator[Unit]:
        models = context.run.models
        for side, model in zip(SIDES, models, strict=True):
            yield Unit(key=f"vectors/{side}", text=f"Concept vectors of {model}", model=model)
        yield Unit(key="space", text="Comparing feature spaces")
        for side, model in zip(SIDES, models, strict=True):
            yield Unit(key=f"masks/{side}", text=f"Finding concepts of {model}", model=model)
        yield Unit(key="overlap", text="Comparing masks")

    def count_units(self, context: RunContext) -> int:
        return 6

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        from analysis.audits.semantics_unit import run_part

        return run_part(unit, context)

    def conclude(self, context: RunContext) -> None:
        """Nothing: each unit writes its own tables."""
