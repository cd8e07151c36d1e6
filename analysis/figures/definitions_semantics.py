"""The figures of semantic similarity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.definition import FigureDefinition, no_results
from analysis.figures.saliency_grid import chosen
from analysis.figures.semantics_choice import (
    MaskPairs,
    MaskPictures,
    best_pairs,
    compared_layers,
    layer_named,
    mask_pictures,
    pair_of,
    threshold_place,
)
from analysis.figures.semantics_data import (
    MEAN,
    MaskSimilarityMatrix,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from analysis.figures.semantics_readers import (
    semantics_index,
    separability,
    space_similarity,
    tcav_layers,
    tcav_scores,
)
from analysis.figures.semantics_tables import (
    masks_table,
    pictures_table,
    robustness_table,
    separability_table,
    space_table,
    tcav_table,
)
from analysis.figures.slice_semantics import sliced_masks, sliced_semantics
from analysis.figures.slices import SlicedParameters, no_images, slice_named
from analysis.name_lists import split_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project

MOST_PANELS = 24
_LAYER_A = "The layer of model A; empty means the deepest that was compared"
_LAYER_B = "The layer of model B; empty means the deepest that was compared"
_THRESHOLD = "Of the masks, 0 to 1; 0 means 0.5, or the nearest to it that was measured"
_CONCEPT_A = "A concept of A by its number; -1 means the best match"
_CONCEPT_B = "A concept of B by its number; -1 means the best match"


@dataclass(frozen=True, kw_only=True)
class SpaceFigureParameters:
    """Which similarity of layers is shown."""

    concept: str = parameter("", "A concept by its name; empty means the mean of all")
    measure: str = parameter(
        "pearson", "Pearson (the published formula) or Spearman", choices=("pearson", "spearman")
    )
    depth: bool = parameter(False, "Relative depth on the axes in place of layer names")


@dataclass(frozen=True, kw_only=True)
class SeparabilityFigureParameters:
    """Which concepts are shown."""

    concepts: str = parameter(
        "", f"Only these concepts, separated by commas; empty means the first {MOST_PANELS}"
    )


@dataclass(frozen=True, kw_only=True)
class TcavFigureParameters:
    """Which scores are shown."""

    model: str = parameter("", "The model; empty means the first one with scores")
    layer: str = parameter("", "The layer; empty means the deepest with scores")
    concepts: str = parameter("", "Only these concepts, separated by commas; empty means all")
    classes: str = parameter(
        "", f"Only these classes, separated by commas; empty means the first {MOST_PANELS}"
    )


@dataclass(frozen=True, kw_only=True)
class MasksFigureParameters(SlicedParameters):
    """Which concepts are compared, and at which threshold."""

    layer_a: str = parameter("", _LAYER_A)
    layer_b: str = parameter("", _LAYER_B)
    threshold: float = parameter(0.0, _THRESHOLD, minimum=0.0, maximum=1.0)
    order: str = parameter(
        "matches",
        "matches: concepts of B in the order of their matches; number: by their numbers",
        choices=("matches", "number"),
    )


@dataclass(frozen=True, kw_only=True)
class MaskPairFigureParameters(SlicedParameters):
    """Whose masks are shown over which images."""

    layer_a: str = parameter("", _LAYER_A)
    layer_b: str = parameter("", _LAYER_B)
    concept_a: int = parameter(-1, _CONCEPT_A, minimum=-1)
    concept_b: int = parameter(-1, _CONCEPT_B, minimum=-1)
    threshold: float = parameter(0.0, "Of the masks, 0 to 1; 0 means 0.5", minimum=0.0, maximum=1.0)
    images: int = parameter(
        7, "Images, from the most to the least alike, evenly by rank", minimum=1, maximum=12
    )
    image: int = parameter(0, "Only the image of this id; 0 means several", minimum=0)


@dataclass(frozen=True, kw_only=True)
class RobustnessFigureParameters(SlicedParameters):
    """Which pairs of concepts are shown."""

    layer_a: str = parameter("", _LAYER_A)
    layer_b: str = parameter("", _LAYER_B)
    threshold: float = parameter(
        0.0, "That pairs are matched at; 0 means 0.5, or the nearest", minimum=0.0, maximum=1.0
    )
    pairs: int = parameter(8, "Matched pairs, the most alike first", minimum=1, maximum=24)
    concept_a: int = parameter(-1, "Only this concept of A; -1 means any", minimum=-1)
    concept_b: int = parameter(-1, "Only this concept of B; -1 means any", minimum=-1)


@dataclass(frozen=True)
class SpaceData:
    """Similarity of layers and what it is of."""

    index: SemanticsIndex
    matrix: SpaceSimilarityMatrix


@dataclass(frozen=True)
class SeparabilityData:
    """Separability in A, and in B where it is another model."""

    index: SemanticsIndex
    models: tuple[Separability, ...]


@dataclass(frozen=True)
class TcavData:
    """Scores and what they are of."""

    index: SemanticsIndex
    scores: TcavScores


def _read_space(project: Project, run: int, asked: SpaceFigureParameters) -> SpaceData:
    matrix = space_similarity(project, run, asked.concept or MEAN)
    if matrix.pearson.size == 0:
        raise no_results(run, "semantics")
    return SpaceData(semantics_index(project, run), matrix)


def _render_space(
    project: Project, data: SpaceData, asked: SpaceFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_semantics import render_space

    return render_space(data.index, data.matrix, width_mm, asked.measure, asked.depth)


def _read_separability(
    project: Project, run: int, asked: SeparabilityFigureParameters
) -> SeparabilityData:
    index = semantics_index(project, run)
    whole = [separability(project, run, model) for model in dict.fromkeys(index.models)]
    known = tuple(dict.fromkeys(name for one in whole for name in one.concepts))
    if not known:
        raise no_results(run, "semantics")
    names = chosen(split_names(asked.concepts), known, f"Run {run} has no concept")[:MOST_PANELS]
    return SeparabilityData(index, tuple(_of_concepts(one, names) for one in whole))


def _of_concepts(data: Separability, names: tuple[str, ...]) -> Separability:
    """Some concepts of a model, in this order."""
    rows = [data.concepts.index(name) for name in names if name in data.concepts]
    arrays = ("accuracy", "ci_low", "ci_high", "null_95", "stability", "separates", "n_positive",
              "n_negative", "auc")  # fmt: skip
    return replace(
        data,
        concepts=tuple(data.concepts[row] for row in rows),
        **{name: getattr(data, name)[rows] for name in arrays},
    )


def _render_separability(
    project: Project,
    data: SeparabilityData,
    asked: SeparabilityFigureParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_semantics_numbers import render_separability

    return render_separability(data.index, data.models, width_mm)


def _read_tcav(project: Project, run: int, asked: TcavFigureParameters) -> TcavData:
    index = semantics_index(project, run)
    layers = {model: tcav_layers(project, run, model) for model in dict.fromkeys(index.models)}
    with_scores = tuple(model for model, names in layers.items() if names)
    if not with_scores:
        raise AuditError(
            f"Run {run} has no TCAV scores.", "They need a model with a classifier, and classes."
        )
    model = chosen([asked.model] if asked.model else [], with_scores, f"Run {run} has no scores of")
    layer = layer_named(layers[model[0]], asked.layer, run, model[0])
    whole = tcav_scores(project, run, model[0], layer)
    rows, columns = (
        [known.index(name) for name in chosen(split_names(text), known, refusal)]
        for text, known, refusal in (
            (asked.concepts, whole.concepts, f"Run {run} has no concept"),
            (asked.classes, whole.classes, f"Run {run} has no scores of the class"),
        )
    )
    columns = columns[:MOST_PANELS]
    at = np.ix_(rows, columns)
    arrays = ("score", "ci_low", "ci_high", "null_low", "null_high", "p_adjusted")
    part = replace(
        whole,
        concepts=tuple(whole.concepts[row] for row in rows),
        classes=tuple(whole.classes[column] for column in columns),
        separates=whole.separates[rows],
        **{name: getattr(whole, name)[at] for name in arrays},
    )
    return TcavData(index, part)


def _render_tcav(
    project: Project, data: TcavData, asked: TcavFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_semantics_numbers import render_tcav

    return render_tcav(data.index, data.scores, width_mm)


def _compared(
    project: Project,
    run: int,
    asked: MasksFigureParameters | MaskPairFigureParameters | RobustnessFigureParameters,
) -> tuple[SemanticsIndex, MaskSimilarityMatrix]:
    """What the run holds and the UCS of the layers asked for, both of the slice if there is one."""
    index = semantics_index(project, run)
    matrix = compared_layers(project, index, asked.layer_a, asked.layer_b)
    within = slice_named(project, asked.slice)
    if within is None:
        return index, matrix
    narrowed = sliced_semantics(project, run, within)
    if not len(narrowed.images):
        raise no_images(within, run)
    return narrowed, sliced_masks(project, run, matrix.layer_a, matrix.layer_b, within)


def _read_masks(project: Project, run: int, asked: MasksFigureParameters) -> MaskPairs:
    index, matrix = _compared(project, run, asked)
    threshold = threshold_place(matrix, asked.threshold)
    return MaskPairs(index, matrix, threshold, best_pairs(matrix, threshold))


def _render_masks(
    project: Project, data: MaskPairs, asked: MasksFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_semantics import render_masks

    return render_masks(data, width_mm, asked.order == "matches")


def _read_mask_pair(project: Project, run: int, asked: MaskPairFigureParameters) -> MaskPictures:
    index, matrix = _compared(project, run, asked)
    threshold = asked.threshold or 0.5
    nearest = int(np.argmin(np.abs(matrix.thresholds - threshold)))
    pair = pair_of(matrix, nearest, asked.concept_a, asked.concept_b)
    return mask_pictures(project, index, matrix, pair, threshold, asked.images, asked.image)


def _render_mask_pair(
    project: Project, data: MaskPictures, asked: MaskPairFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_semantics_masks import mask_squares, render_mask_pair
    from analysis.figures.thumbnails import patch_tiles

    return render_mask_pair(data, patch_tiles(project, mask_squares(data)), width_mm)


def _read_robustness(project: Project, run: int, asked: RobustnessFigureParameters) -> MaskPairs:
    index, matrix = _compared(project, run, asked)
    threshold = threshold_place(matrix, asked.threshold)
    if asked.concept_a >= 0 or asked.concept_b >= 0:
        pairs = [pair_of(matrix, threshold, asked.concept_a, asked.concept_b)]
    else:
        pairs = list(best_pairs(matrix, threshold)[: asked.pairs])
    if not pairs:
        raise AuditError(
            f"Run {run} has no matched pairs of concepts in these layers.", "Name both concepts."
        )
    return MaskPairs(index, matrix, threshold, tuple(pairs))


def _render_robustness(
    project: Project, data: MaskPairs, asked: RobustnessFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_semantics_numbers import render_robustness

    return render_robustness(data, width_mm)


SEMANTICS_FIGURES = (
    FigureDefinition(
        "space-similarity",
        "Similarity of feature spaces",
        "SFSS of every layer of A with every layer of B, for a concept or the mean of all",
        "semantics",
        SpaceFigureParameters,
        _read_space,
        _render_space,
        lambda data: space_table(data.index.models, data.matrix),
        table="space_similarity",
    ),
    FigureDefinition(
        "separability",
        "Separability of concepts",
        "How well each concept is told apart over the depth of both models",
        "semantics",
        SeparabilityFigureParameters,
        _read_separability,
        _render_separability,
        lambda data: separability_table(data.models),
        table="concept_vector",
    ),
    FigureDefinition(
        "tcav",
        "TCAV scores",
        "How concepts move the classes of a model, beside random concepts",
        "semantics",
        TcavFigureParameters,
        _read_tcav,
        _render_tcav,
        lambda data: tcav_table(data.scores),
        table="tcav",
    ),
    FigureDefinition(
        "mask-similarity",
        "Similarity of found concepts",
        "UCS of every concept found in a layer of A with every one of a layer of B",
        "semantics",
        MasksFigureParameters,
        _read_masks,
        _render_masks,
        masks_table,
        table="mask_similarity",
    ),
    FigureDefinition(
        "mask-pair",
        "Masks of two concepts",
        "Where a concept of A and one of B are in the same images",
        "semantics",
        MaskPairFigureParameters,
        _read_mask_pair,
        _render_mask_pair,
        pictures_table,
        table="mask_similarity",
    ),
    FigureDefinition(
        "robustness",
        "Robustness of matches",
        "UCS of matched concepts as the threshold of the masks rises",
        "semantics",
        RobustnessFigureParameters,
        _read_robustness,
        _render_robustness,
        robustness_table,
        table="mask_similarity",
    ),
)
