"""The Learned Concepts Embedding: models as points, and performance as a map under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.embedding_data import (
    EmbeddingPoints,
    PerformanceSurface,
    with_two_components,
)
from analysis.figures.names import name_points
from analysis.figures.palette import group_mark
from analysis.figures.words import count, label, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PRESET_WORDS = {"paper": "paper (as published)", "default": "default"}
_NARROW_MM = 120
# Radius² of the ellipse that holds 95 % of a two-dimensional normal distribution.
_CHI_SQUARED_95 = -2 * float(np.log(0.05))
_MARKER_AREA = 26.0


def render_embedding(
    data: EmbeddingPoints,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    component_x: int = 1,
    component_y: int = 2,
    ellipses: bool = True,
    surface: PerformanceSurface | None = None,
) -> Figure:
    """Models in two components of the embedding (LCE paper, Fig. 1); call inside `journal_style`.

    Models of a single component lie along one axis.

    Groups have a colour and a sign, models that were only projected are hollow, the ellipse around
    a model holds 95 % of what drawing its units anew gives.

    :param surface: performance in a task, drawn pale behind the models.
    """
    narrow = width_mm < _NARROW_MM
    known = data.points.shape[1]
    data = with_two_components(data)
    points = _plane(data, component_x, component_y)
    limits = (
        _limits(data, component_x, component_y, ellipses)
        if surface is None
        else np.array([[surface.x[0], surface.y[0]], [surface.x[-1], surface.y[-1]]])
    )
    figure = _figure(width_mm, limits, 16 if narrow else 9, 15 if surface is None else 29)
    axes = figure.add_subplot()
    if surface is not None:
        mesh = _surface(axes, surface, alpha=0.4)
        style.colour_bar(figure, mesh, axes, _fitted_task(surface.task, 0.6 * width_mm))
    if ellipses:
        _ellipses(axes, data, component_x, component_y)
    _markers(axes, data, points)
    _axes_labels(axes, data, component_x, component_y)
    if known == 1:
        _without_second(axes, component_x)
    _set_limits(axes, limits)
    _legend(figure, data, ellipses, narrow)
    _fit_height(axes, limits)
    colours = [group_mark(group).colour for group in data.group]
    name_points(
        axes,
        points,
        data.models,
        0.36 * width_mm,
        size=6.0 if narrow else 6.5,
        colours=[style.TEXT_COLOUR] * len(colours) if surface is not None else colours,
        halo=surface is not None,
    )
    return figure


def render_performance_map(
    data: EmbeddingPoints, surface: PerformanceSurface, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """Performance over two components by k-NN regression, models in the colour of their own.

    Models without a value in the task are hollow (LCE paper, appendix E).
    """
    narrow = width_mm < _NARROW_MM
    limits = np.array([[surface.x[0], surface.y[0]], [surface.x[-1], surface.y[-1]]])
    figure = _figure(width_mm, limits, 8 if narrow else 5, 29)
    axes = figure.add_subplot()
    points = _plane(data, surface.component_x, surface.component_y)
    mesh = _surface(axes, surface, alpha=1.0)
    value = dict(zip(surface.models, surface.performance.tolist(), strict=True))
    valued = np.array([model in value for model in data.models], dtype=bool)
    axes.scatter(
        points[valued, 0],
        points[valued, 1],
        c=[value[model] for model in data.models if model in value],
        cmap=mesh.cmap,
        norm=mesh.norm,
        s=_MARKER_AREA + 6,
        edgecolors="white",
        linewidths=1.0,
        zorder=4,
    )
    if not valued.all():
        axes.scatter(
            points[~valued, 0],
            points[~valued, 1],
            s=_MARKER_AREA,
            facecolors="none",
            edgecolors="white",
            linewidths=1.0,
            zorder=4,
        )
    _set_limits(axes, limits)
    _axes_labels(axes, data, surface.component_x, surface.component_y)
    style.colour_bar(figure, mesh, axes, _fitted_task(surface.task, 0.6 * width_mm))
    lines = [f"mean of the {count(surface.neighbours, 'nearest model')}, by k-NN regression"]
    if not valued.all():
        lines.append("hollow: no value in this task")
    joint = "\n" if narrow else "; "
    axes.set_title(joint.join(lines), fontsize=6.5, color=style.QUIET_COLOUR)
    _fit_height(axes, limits)
    name_points(axes, points, data.models, 0.36 * width_mm, size=6.0, halo=True)
    return figure


def _plane(data: EmbeddingPoints, component_x: int, component_y: int) -> np.ndarray:
    return data.points[:, [component_x - 1, component_y - 1]]


def _surface(axes: Axes, surface: PerformanceSurface, alpha: float) -> Any:
    low, high = float(np.nanmin(surface.performance)), float(np.nanmax(surface.performance))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return axes.pcolormesh(
        surface.x,
        surface.y,
        surface.value,
        cmap=style.magnitude_map(),
        vmin=low,
        vmax=high,
        alpha=alpha,
        shading="nearest",
        rasterized=True,
        linewidth=0,
        zorder=0,
    )


def _ellipses(axes: Axes, data: EmbeddingPoints, component_x: int, component_y: int) -> None:
    from matplotlib.patches import Ellipse

    chosen = [component_x - 1, component_y - 1]
    for index, point in enumerate(data.points[:, chosen]):
        covariance = data.covariance[index][np.ix_(chosen, chosen)]
        if not (np.isfinite(covariance).all() and np.isfinite(point).all()):
            continue
        width, height, angle = ellipse_axes(covariance)
        colour = group_mark(data.group[index]).colour
        patch = Ellipse(
            (float(point[0]), float(point[1])),
            width,
            height,
            angle=angle,
            facecolor=colour,
            alpha=0.13,
            linewidth=0,
            zorder=1,
        )
        outline = Ellipse(
            (float(point[0]), float(point[1])),
            width,
            height,
            angle=angle,
            facecolor="none",
            edgecolor=colour,
            alpha=0.55,
            linewidth=0.5,
            zorder=1,
        )
        axes.add_patch(patch)
        axes.add_patch(outline)


def ellipse_axes(covariance: np.ndarray) -> tuple[float, float, float]:
    """Width, height and angle (degrees) of the ellipse that holds 95 % of a normal distribution.

    :param covariance: (2, 2), symmetric; negative variances from rounding count as none.
    """
    values, vectors = np.linalg.eigh(covariance)
    width, height = 2 * np.sqrt(_CHI_SQUARED_95 * np.clip(values[::-1], 0, None))
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return float(width), float(height), float(angle)


def _markers(axes: Axes, data: EmbeddingPoints, points: np.ndarray) -> None:
    for index, point in enumerate(points):
        mark = group_mark(data.group[index])
        fitted = bool(data.fitted[index])
        axes.scatter(
            point[0],
            point[1],
            s=_MARKER_AREA,
            marker=mark.marker,
            facecolors=mark.colour if fitted else "white",
            edgecolors=style.TEXT_COLOUR if fitted else mark.colour,
            linewidths=0.4 if fitted else 0.9,
            zorder=4,
        )


def axis_words(data: EmbeddingPoints, component: int) -> str:
    """A component with the share of variance it explains, and what chance would explain."""
    share, null = data.explained_variance[component - 1], data.null_95[component - 1]
    words = f"component {component}"
    if not np.isfinite(share):
        return words
    words += f": {number(100 * share, 1)} % of the variance"
    if np.isfinite(null):
        words += f" (chance {number(100 * null, 1)} %)"
    return words


def _axes_labels(axes: Axes, data: EmbeddingPoints, component_x: int, component_y: int) -> None:
    axes.set_xlabel(axis_words(data, component_x))
    axes.set_ylabel(axis_words(data, component_y).replace(" (", "\n("))


def _without_second(axes: Axes, component_x: int) -> None:
    """An axis without a component has no numbers either."""
    axis = axes.xaxis if component_x == 2 else axes.yaxis
    axis.set_label_text("no second component", color=style.QUIET_COLOUR)
    axis.set_ticks([])


def _limits(
    data: EmbeddingPoints, component_x: int, component_y: int, ellipses: bool
) -> np.ndarray:
    """(2, 2) lower and upper end of both axes: points, ellipses, and room for names."""
    chosen = [component_x - 1, component_y - 1]
    reach = np.zeros((len(data.models), 2))
    if ellipses:
        variance = data.covariance[:, chosen, chosen]
        reach = np.sqrt(_CHI_SQUARED_95 * np.nan_to_num(variance))
    points = data.points[:, chosen]
    ends = np.concatenate([points - reach, points + reach])
    ends = ends[np.isfinite(ends).all(axis=1)]
    if len(ends) == 0:
        ends = np.zeros((1, 2))
    low, high = ends.min(axis=0), ends.max(axis=0)
    room = 0.09 * max(float((high - low).max()), 1e-6)
    return np.stack([low - room, high + room])


def _figure(width_mm: float, limits: np.ndarray, above_mm: float, beside_mm: float) -> Figure:
    """A figure whose axes have about the shape of `limits`, which are widened where they are too
    flat or too high for names."""
    extent = limits[1] - limits[0]
    lowest, highest = 0.75 if width_mm < _NARROW_MM else 0.55, 1.15
    wanted = np.array([max(extent[0], extent[1] / highest), max(extent[1], extent[0] * lowest)])
    middle = limits.mean(axis=0)
    limits[0], limits[1] = middle - wanted / 2, middle + wanted / 2
    return style.new_figure(width_mm, (width_mm - beside_mm) * wanted[1] / wanted[0] + above_mm + 9)


def _fit_height(axes: Axes, limits: np.ndarray) -> None:
    """Make the figure so high that distances mean the same in both directions.

    An aspect asked of matplotlib would leave the colour bar longer than its axes.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    for _ in range(3):  # the layout of words may change with the height
        figure.draw_without_rendering()
        box = axes.get_position(original=True)
        width, height = figure.get_size_inches()
        extent = limits[1] - limits[0]
        wanted = box.width * width * extent[1] / extent[0]
        figure.set_figheight(height + wanted - box.height * height)


def _set_limits(axes: Axes, limits: np.ndarray) -> None:
    axes.set(xlim=limits[:, 0], ylim=limits[:, 1])
    axes.axhline(0, color="#E2E2E2", linewidth=0.5, zorder=0.5)
    axes.axvline(0, color="#E2E2E2", linewidth=0.5, zorder=0.5)


def _legend(figure: Figure, data: EmbeddingPoints, ellipses: bool, narrow: bool) -> None:
    from matplotlib.lines import Line2D

    def entry(marker: str, face: str, edge: str, words: str, size: float = 4.5) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="none",
            marker=marker,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=edge,
            markeredgewidth=0.6,
            label=words,
        )

    entries: list[Line2D] = []
    for group in sorted(set(data.group) - {""}):
        mark = group_mark(group)
        amount = sum(name == group for name in data.group)
        words = (
            f"{label(group, 20)} ({amount})" if entries else f"group {label(group, 20)} ({amount})"
        )
        entries.append(entry(mark.marker, mark.colour, style.TEXT_COLOUR, words))
    if not data.fitted.all():
        amount = int((~data.fitted).sum())
        entries.append(entry("o", "white", group_mark("").colour, f"only projected ({amount})"))
    if ellipses and np.isfinite(data.covariance).all(axis=(1, 2)).any():
        words = "95 % of draws of units"
        entries.append(entry("o", "#DDDDDD", style.LINE_COLOUR, words, size=7))
    title = (
        f"{count(len(data.models), 'model')}, preset {PRESET_WORDS.get(data.preset, data.preset)}"
    )
    figure.legend(
        handles=entries,
        title=label(title),
        title_fontsize=7.0,
        alignment="left",
        loc="outside upper left",
        ncols=2 if narrow and len(entries) > 3 else max(1, len(entries)),
        handletextpad=0.2,
        columnspacing=1.0,
        borderpad=0.0,
    )


def _fitted_task(task: str, width_mm: float) -> str:
    return style.fitted(task, width_mm)
