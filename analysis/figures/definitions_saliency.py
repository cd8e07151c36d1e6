"""The figures of saliency maps and of their faithfulness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.columns import run_parameters
from analysis.figures.definition import FigureDefinition, no_results
from analysis.figures.readers import run_row
from analysis.figures.saliency_curves import mean_curves
from analysis.figures.saliency_data import (
    AttentionDepth,
    FaithfulnessSummary,
    MeanCurve,
    SaliencyIndex,
)
from analysis.figures.saliency_grid import GRIDS, MapGrid, chosen, method_named, read_grid
from analysis.figures.saliency_readers import (
    attention_depth,
    faithfulness_summary,
    saliency_index,
)
from analysis.figures.saliency_tables import (
    curves_table,
    depth_table,
    faithfulness_table,
    maps_table,
)
from analysis.figures.saliency_words import measure_settings, split_methods
from analysis.figures.slice_saliency import sliced_faithfulness, sliced_index
from analysis.figures.slices import SliceChoice, SlicedParameters, no_images, slice_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project

COLOUR_MAPS = ("inferno", "viridis", "cividis", "magma", "grey")
_MODELS = "Only these models, separated by commas; empty means all"
_METHODS = "Only these methods by name, separated by commas; empty means all"


@dataclass(frozen=True, kw_only=True)
class SaliencyFigureParameters(SlicedParameters):
    """Which maps stand side by side, and how."""

    grid: str = parameter(
        "methods",
        "methods: methods by images, of one model; models: models by images, by one method; image:"
        " models by methods, of one image",
        choices=GRIDS,
    )
    image: int = parameter(0, "Only the image of this id; 0 means several", minimum=0)
    images: int = parameter(
        5, "Images at most, of as many labels as there are", minimum=1, maximum=12
    )
    models: str = parameter("", _MODELS)
    methods: str = parameter("", _METHODS)
    opacity: float = parameter(
        0.55, "Of the map over the picture, 0 to 1", minimum=0.0, maximum=1.0
    )
    colours: str = parameter("inferno", "Colours of the maps", choices=COLOUR_MAPS)


@dataclass(frozen=True, kw_only=True)
class FaithfulnessFigureParameters(SlicedParameters):
    """Which numbers are shown."""

    metrics: str = parameter("", "Only these metrics, separated by commas; empty means all")
    models: str = parameter("", _MODELS)
    methods: str = parameter("", _METHODS)


@dataclass(frozen=True, kw_only=True)
class CurvesFigureParameters(SlicedParameters):
    """Which curves are shown."""

    models: str = parameter("", _MODELS)
    methods: str = parameter("", _METHODS)


@dataclass(frozen=True, kw_only=True)
class DepthFigureParameters:
    """Whose attention is shown."""

    image: int = parameter(0, "The image's id; 0 means the first one", minimum=0)
    model: str = parameter("", "The model; empty means the first one whose attention is kept")
    colours: str = parameter("inferno", "Colours of the maps", choices=COLOUR_MAPS)


@dataclass(frozen=True)
class CurvesData:
    """Mean curves with what they were measured with."""

    index: SaliencyIndex
    curves: tuple[MeanCurve, ...]
    class_words: str
    start_words: str
    end_words: str


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _methods(index: SaliencyIndex, text: str) -> list[str]:
    return [method_named(index.methods, name) for name in split_methods(text)]


def _known(project: Project, run: int, within: SliceChoice | None) -> SaliencyIndex:
    index = saliency_index(project, run)
    if not len(index.images):
        raise no_results(run, "saliency")
    if within is None:
        return index
    narrowed = sliced_index(project, run, within)
    if not len(narrowed.images):
        raise no_images(within, run)
    return narrowed


def _read_maps(project: Project, run: int, asked: SaliencyFigureParameters) -> MapGrid:
    index = _known(project, run, slice_named(project, asked.slice))
    return read_grid(
        project,
        index,
        asked.grid,
        [asked.image] if asked.image else [],
        asked.images,
        _names(asked.models),
        _methods(index, asked.methods),
    )


def _render_maps(
    project: Project, data: MapGrid, asked: SaliencyFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_saliency import grid_squares, render_maps
    from analysis.figures.thumbnails import patch_tiles

    tiles = patch_tiles(project, grid_squares(data))
    return render_maps(data, tiles, width_mm, asked.opacity, asked.colours)


def _read_faithfulness(
    project: Project, run: int, asked: FaithfulnessFigureParameters
) -> FaithfulnessSummary:
    whole = faithfulness_summary(project, run)
    if not whole.metrics:
        raise no_results(run, "saliency")
    within = slice_named(project, asked.slice)
    if within is not None:
        whole, _ = sliced_faithfulness(project, run, within)
        if not whole.metrics:
            raise no_images(within, run)
    keys = tuple(metric.key for metric in whole.metrics)
    labels = tuple(method.label for method in whole.methods)
    methods = [method_named(whole.methods, name) for name in split_methods(asked.methods)]
    return _part(
        whole,
        [keys.index(k) for k in chosen(_names(asked.metrics), keys, f"Run {run} has no metric")],
        [
            whole.models.index(name)
            for name in chosen(_names(asked.models), whole.models, f"Run {run} has no model")
        ],
        [labels.index(label) for label in chosen(methods, labels, f"Run {run} has no method")],
    )


def _part(
    whole: FaithfulnessSummary,
    metrics: Sequence[int],
    models: Sequence[int],
    methods: Sequence[int],
) -> FaithfulnessSummary:
    """Some metrics, models and methods of a summary, in this order."""
    at = np.ix_(metrics, models, methods)
    return FaithfulnessSummary(
        run=whole.run,
        metrics=tuple(whole.metrics[i] for i in metrics),
        models=tuple(whole.models[i] for i in models),
        methods=tuple(whole.methods[i] for i in methods),
        mean=whole.mean[at],
        ci_low=whole.ci_low[at],
        ci_high=whole.ci_high[at],
        n=whole.n[at],
        best=whole.best[at],
        level=whole.level[at],
        tied=whole.tied[np.ix_(models, methods)],
        slice_name=whole.slice_name,
    )


def _render_faithfulness(
    project: Project,
    data: FaithfulnessSummary,
    asked: FaithfulnessFigureParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_saliency_numbers import render_faithfulness

    return render_faithfulness(data, width_mm)


def _read_curves(project: Project, run: int, asked: CurvesFigureParameters) -> CurvesData:
    within = slice_named(project, asked.slice)
    index = _known(project, run, within)
    labels = tuple(method.label for method in index.methods)
    names = chosen(_names(asked.models), index.models, f"Run {run} has no maps by the model")
    methods = chosen(_methods(index, asked.methods), labels, f"Run {run} has no method")
    measured = {
        (row["model"], row["method"])
        for row in project.rows("SELECT DISTINCT model, method FROM curve WHERE run = ?", (run,))
    }
    pairs = [(name, label) for name in names for label in methods if (name, label) in measured]
    curves = mean_curves(project, run, pairs, within)
    if not curves:
        raise AuditError(
            f"Run {run} has no curves of this choice.",
            "Let it measure insertion and deletion, or choose other models and methods.",
        )
    settings = measure_settings(run_parameters(run_row(project, run)))
    words = {"explained": "explained class", "predicted": "predicted class", "label": "label"}
    grounds = {"blurred": "the blurred image", "black": "black", "grey": "mean grey", "": "nothing"}
    return CurvesData(
        index,
        curves,
        words[settings.curve_class] if settings else "class",
        grounds[settings.insertion_baseline if settings else ""],
        grounds[settings.deletion_baseline if settings else ""],
    )


def _render_curves(
    project: Project, data: CurvesData, asked: CurvesFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_saliency_numbers import render_curves

    return render_curves(
        data.curves,
        data.index.methods,
        data.class_words,
        data.start_words,
        data.end_words,
        width_mm,
    )


def _read_depth(project: Project, run: int, asked: DepthFigureParameters) -> AttentionDepth:
    index = saliency_index(project, run)
    if not index.depth_models:
        raise AuditError(
            f"Run {run} kept no attention of layers and heads.",
            "Only transformers have it, in runs with depth=true.",
        )
    model = chosen(
        [asked.model] if asked.model else [],
        index.depth_models,
        f"Run {run} kept no attention of the model",
    )[0]
    images = [asked.image] if asked.image else index.images.tolist()
    for image in images:
        found = attention_depth(project, run, image, model)
        if found is not None:
            return found
    raise AuditError(
        f"Run {run} kept no attention of {model} for image {images[0]}."
        if asked.image
        else f"Run {run} kept no attention of {model}.",
        "Choose another image or model.",
    )


def _render_depth(
    project: Project, data: AttentionDepth, asked: DepthFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_saliency import depth_square, render_depth
    from analysis.figures.thumbnails import patch_tiles

    square = depth_square(data)
    tile = patch_tiles(project, [square])[square.patch_id]
    label = project.value("SELECT coalesce(label, path) FROM image WHERE id = ?", (data.image,))
    return render_depth(data, tile, str(label or ""), width_mm, asked.colours)


SALIENCY_FIGURES = (
    FigureDefinition(
        "saliency",
        "Saliency maps",
        "Where models look: maps over the images, by methods or by models",
        "saliency",
        SaliencyFigureParameters,
        _read_maps,
        _render_maps,
        maps_table,
    ),
    FigureDefinition(
        "faithfulness",
        "Faithfulness of saliency maps",
        "Every metric of every method with its interval, and what maps that know nothing reach",
        "saliency",
        FaithfulnessFigureParameters,
        _read_faithfulness,
        _render_faithfulness,
        faithfulness_table,
        table="faithfulness_summary",
    ),
    FigureDefinition(
        "insertion-deletion",
        "Insertion and deletion",
        "Mean probability while the most important pixels come in or go out",
        "saliency",
        CurvesFigureParameters,
        _read_curves,
        _render_curves,
        lambda data: curves_table(data.curves),
        table="curve",
    ),
    FigureDefinition(
        "attention-depth",
        "Attention through the layers",
        "The attention of every layer and head of a transformer in one image",
        "saliency",
        DepthFigureParameters,
        _read_depth,
        _render_depth,
        depth_table,
    ),
)
