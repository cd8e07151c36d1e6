"""The figures of the comparison of two models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.data import ConceptDetail, ConceptPoints, LayerSimilarity, ReplacementPoints
from analysis.figures.definition import FigureDefinition, no_results
from analysis.figures.readers import (
    LAYER_MEASURES,
    concept_detail,
    concept_points,
    layer_similarity,
    replacement_points,
)
from analysis.figures.selection import of_class, telling_concepts
from analysis.figures.slice_concepts import sliced_detail, sliced_points
from analysis.figures.slices import SliceChoice, SlicedParameters, no_images, slice_named
from analysis.figures.tables import (
    concept_table,
    concepts_table,
    layers_table,
    replacement_table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True, kw_only=True)
class LayersFigureParameters:
    """What the heatmap of layers shows."""

    measure: str = parameter("mmcs_pearson", "Measure of similarity", choices=LAYER_MEASURES)
    depth: bool = parameter(False, "Relative depth on the axes in place of layer names")


@dataclass(frozen=True, kw_only=True)
class ConceptsFigureParameters(SlicedParameters):
    """What the plot of similarity against importance shows."""

    measure: str = parameter(
        "cmcs_pearson",
        "Measure of similarity",
        choices=("cmcs_pearson", "cmcs_spearman", "smcs_pearson", "mcs_pearson"),
    )
    class_name: str = parameter("", "Only this class; empty means all classes")
    low_similarity: float = parameter(
        0.5, "A concept below this similarity counts as unlike", minimum=-1, maximum=1
    )
    high_importance: float = parameter(
        0.3, "A concept of at least this importance counts as important", minimum=0, maximum=1
    )


@dataclass(frozen=True, kw_only=True)
class ConceptFigureParameters(SlicedParameters):
    """Which concept is shown."""

    concept: int = parameter(
        0, "Id of the concept (table `concept`); 0 means the most telling one", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class ReplacementFigureParameters:
    """What the replacement test shows."""

    class_name: str = parameter("", "Only this class; empty means all classes")


def _read_layers(project: Project, run: int, chosen: LayersFigureParameters) -> LayerSimilarity:
    data = layer_similarity(project, run, chosen.measure)
    if data is None:
        raise no_results(run, "layers")
    return data


def _read_concepts(project: Project, run: int, chosen: ConceptsFigureParameters) -> ConceptPoints:
    data = concept_points(project, run)
    if len(data.concept_id) == 0:
        raise no_results(run, "concepts")
    within = slice_named(project, chosen.slice)
    if within is not None:
        data = _sliced(project, run, within)
    return _limited(data, chosen.class_name)


def _sliced(project: Project, run: int, within: SliceChoice) -> ConceptPoints:
    data = sliced_points(project, run, within)
    if len(data.concept_id) == 0:
        raise no_images(within, run)
    return data


def _read_replacement(
    project: Project, run: int, chosen: ReplacementFigureParameters
) -> ReplacementPoints:
    data = replacement_points(project, run)
    if len(data.concept_id) == 0:
        raise no_results(run, "concepts")
    return _limited(data, chosen.class_name)


def read_concept(project: Project, run: int, chosen: ConceptFigureParameters) -> ConceptDetail:
    within = slice_named(project, chosen.slice)
    concept = chosen.concept
    if not concept:
        data = concept_points(project, run) if within is None else _sliced(project, run, within)
        ids = telling_concepts(data, 1)
        if not ids:
            raise no_results(run, "concepts")
        concept = ids[0]
    if within is None:
        return concept_detail(project, concept)
    detail = sliced_detail(project, concept, within)
    if not len(detail.real):
        raise no_images(within, detail.run)
    return detail


def _limited(data: Any, class_name: str) -> Any:
    if not class_name:
        return data
    limited = of_class(data, class_name)
    if len(limited.concept_id) == 0:
        raise AuditError(
            f"Run {data.run} has no concepts of a class “{class_name}”.",
            "The table `concept` lists its classes.",
        )
    return limited


def _render_layers(
    project: Project, data: LayerSimilarity, chosen: LayersFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_layers import render_layers

    return render_layers(data, width_mm, chosen.depth)


def _render_concepts(
    project: Project, data: ConceptPoints, chosen: ConceptsFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_concepts import render_concepts

    look = asdict(chosen)
    del look["slice"]  # the data are of it already
    return render_concepts(data, width_mm, **look)


def _render_concept(
    project: Project, data: ConceptDetail, chosen: ConceptFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_concept import render_concept
    from analysis.figures.thumbnails import patch_tiles

    tiles = patch_tiles(project, [*data.top, *data.under, *data.over])
    return render_concept(data, tiles, width_mm)


def _render_replacement(
    project: Project, data: ReplacementPoints, chosen: ReplacementFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_replacement import render_replacement

    return render_replacement(data, width_mm, chosen.class_name)


COMPARISON_FIGURES = (
    FigureDefinition(
        "layers",
        "Similarity of layers",
        "How similar the concepts of each layer of one model are to those of the other",
        "layers",
        LayersFigureParameters,
        _read_layers,
        _render_layers,
        layers_table,
    ),
    FigureDefinition(
        "concepts",
        "Similarity and importance of concepts",
        "How well the other model predicts each concept, and how much the concept matters",
        "concepts",
        ConceptsFigureParameters,
        _read_concepts,
        _render_concepts,
        concepts_table,
    ),
    FigureDefinition(
        "concept",
        "One concept and its patches",
        "Real against predicted coefficients, and the patches where the two models differ",
        "concepts",
        ConceptFigureParameters,
        read_concept,
        _render_concept,
        concept_table,
    ),
    FigureDefinition(
        "replacement",
        "Replacement test",
        "What changes in a model when a concept is replaced by its prediction",
        "concepts",
        ReplacementFigureParameters,
        _read_replacement,
        _render_replacement,
        replacement_table,
    ),
)
