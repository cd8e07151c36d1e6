"""What the components of the embedding are made of, and how many of them and of the groups hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.embedding_data import EmbeddingLoadings, EmbeddingPoints, GroupChoice
from analysis.figures.palette import category_colours, category_word
from analysis.figures.words import count, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NARROW_MM = 120
_BAR_MM = 3.6
_VALUE_MM = 8.0  # the number at the end of a bar


def top_loadings(data: EmbeddingLoadings, component: int, amount: int) -> np.ndarray:
    """Indices of the concepts that count most in a component, from highest to lowest loading.

    :param component: 1-based.
    """
    loadings = data.loadings[component - 1]
    strength = np.where(np.isfinite(loadings), np.abs(loadings), -1.0)
    chosen = np.argsort(-strength, kind="stable")[:amount]
    chosen = chosen[strength[chosen] > 0]
    return chosen[np.argsort(-loadings[chosen], kind="stable")]


def render_loadings(
    data: EmbeddingLoadings, width_mm: float = style.DOUBLE_COLUMN_MM, amount: int = 12
) -> Figure:
    """The concepts that count most in each component, coloured by category (appendix C).

    Call inside `journal_style`.
    """
    components = len(data.loadings)
    columns = 1 if width_mm < _NARROW_MM else components
    rows = -(-components // columns)
    bars = min(amount, len(data.concepts))
    figure = style.new_figure(width_mm, rows * (_BAR_MM * bars + 13) + 9)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    colours = category_colours(sorted(set(data.categories)))
    name_mm = (0.4 if columns == 1 else 0.12) * width_mm
    bars_mm = width_mm / columns - 6 - _widest(data, name_mm)
    used: list[str] = []
    for component, axes in enumerate(panels[:components], start=1):
        chosen = top_loadings(data, component, amount)
        used += [data.categories[i] for i in chosen]
        _bars(axes, data, component, chosen, (colours, bars, name_mm, bars_mm))
    category_legend(figure, used, colours)
    return figure


def _widest(data: EmbeddingLoadings, name_mm: float) -> float:
    return min(name_mm, max(style.text_width_mm(name, 6.5) for name in data.concepts))


def _bars(
    axes: Axes,
    data: EmbeddingLoadings,
    component: int,
    chosen: np.ndarray,
    layout: tuple[dict[str, str], int, float, float],
) -> None:
    colours, bars, name_mm, bars_mm = layout
    values = data.loadings[component - 1][chosen]
    place = np.arange(len(chosen))
    axes.barh(place, values, height=0.72, color=[colours[data.categories[i]] for i in chosen])
    axes.axvline(0, color=style.LINE_COLOUR, linewidth=0.5)
    names = [style.fitted(data.concepts[i], name_mm, 6.5) for i in chosen]
    axes.set_yticks(place, names)
    axes.set_ylim(bars - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    low, high = min(0.0, values.min(initial=0)), max(0.0, values.max(initial=0))
    words = min(_VALUE_MM, 0.3 * bars_mm) * ((low < 0) + (high > 0))
    room = _VALUE_MM / (bars_mm - words) * ((high - low) or 1.0)
    axes.set_xlim(low - (room if low < 0 else 0), high + (room if high > 0 else 0))
    for y, value in zip(place, values, strict=True):
        axes.annotate(
            number(value),
            (value, y),
            xytext=(1.5 if value >= 0 else -1.5, 0),
            textcoords="offset points",
            ha="left" if value >= 0 else "right",
            va="center_baseline",
            fontsize=5.5,
        )
    axes.set_title(f"component {component}", fontweight="bold", fontsize=7)
    axes.set_xlabel("loading")


def category_legend(figure: Figure, categories: list[str], colours: dict[str, str]) -> None:
    """A line of the categories that occur, with their colours, above the figure."""
    from matplotlib.patches import Patch

    entries = [
        Patch(facecolor=colours[name], label=style.fitted(category_word(name), 30))
        for name in colours
        if name in set(categories)
    ]
    if entries:
        narrow = figure.get_figwidth() * 25.4 < _NARROW_MM
        figure.legend(
            handles=entries,
            loc="outside upper left",
            ncols=min(len(entries), 5 if narrow else 8),
            handlelength=1.0,
            handleheight=0.9,
            handletextpad=0.4,
            columnspacing=1.2,
            borderpad=0.0,
        )


def render_explained_variance(
    data: EmbeddingPoints, width_mm: float = style.DOUBLE_COLUMN_MM
) -> Figure:
    """The share of variance of each component beside what chance gives (parallel analysis)."""
    figure = style.new_figure(width_mm, 55 if width_mm < _NARROW_MM else 62)
    axes = figure.add_subplot()
    place = np.arange(1, len(data.explained_variance) + 1)
    share, null = 100 * data.explained_variance, 100 * data.null_95
    beaten = share > null
    for x, value, real in zip(place, share, beaten, strict=True):
        axes.bar(
            x,
            value,
            width=0.55,
            facecolor=style.MODEL_COLOURS["a"] if real else style.MISSING_COLOUR,
            edgecolor=style.LINE_COLOUR,
            hatch="" if real else "//////",
            linewidth=0.4,
        )
        axes.annotate(
            f"{number(value, 1)} %",
            (x, np.nanmax([value, null[x - 1], 0])),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6.5,
        )
    for x, value in zip(place, null, strict=True):
        if np.isfinite(value):
            axes.plot([x - 0.38, x + 0.38], [value] * 2, color=style.TEXT_COLOUR, linewidth=1.2)
    axes.set_xticks(place, [f"component {x}" for x in place])
    axes.set_xlim(0.4, len(place) + 0.6)
    axes.set_ylim(0, 1.18 * float(np.nanmax([*share, *null, 1.0])))
    axes.set_ylabel("% of the variance")
    _null_legend(figure, bool(np.isfinite(null).any()), bool((np.isfinite(null) & ~beaten).any()))
    return figure


def _null_legend(figure: Figure, known: bool, hatched: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Any] = []
    if known:
        words = "chance: 95 % of parallel analyses stay below"
        entries.append(Line2D([], [], color=style.TEXT_COLOUR, linewidth=1.2, label=words))
    if hatched:
        entries.append(
            Patch(
                facecolor=style.MISSING_COLOUR,
                edgecolor=style.LINE_COLOUR,
                hatch="//////",
                linewidth=0.4,
                label="not above chance",
            )
        )
    if entries:
        narrow = figure.get_figwidth() * 25.4 < _NARROW_MM
        figure.legend(
            handles=entries, loc="outside upper left", ncols=1 if narrow else 2, borderpad=0.0
        )


def render_groups(data: GroupChoice, width_mm: float = style.DOUBLE_COLUMN_MM) -> Figure:
    """Elbow and silhouette of k-means for each number of groups (appendix D)."""
    figure = style.new_figure(width_mm, 52 if width_mm < _NARROW_MM else 60)
    left, right = figure.subplots(1, 2)
    best = int(data.k[np.nanargmax(data.silhouette)]) if _any(data.silhouette) else 0
    for axes, values, words in (
        (left, data.inertia, "inertia within groups"),
        (right, data.silhouette, "mean silhouette"),
    ):
        known = np.isfinite(values)
        axes.plot(data.k[known], values[known], "-o", markersize=3, color=style.LINE_COLOUR)
        chosen = known & (data.k == data.chosen)
        axes.plot(
            data.k[chosen], values[chosen], "o", markersize=5.5, color=style.MODEL_COLOURS["b"]
        )
        axes.set_xticks(data.k)
        axes.set_xlim(data.k.min() - 0.5, data.k.max() + 0.5)
        axes.set_xlabel("number of groups")
        axes.set_ylabel(words)
        low, high = float(np.nanmin([*values, 0.0])), float(np.nanmax([*values, 0.0]))
        axes.set_ylim(low, high + 0.1 * ((high - low) or 1.0))
    words = f"{count(data.chosen, 'group')} chosen" if data.chosen else "no groups"
    left.set_title(words, fontsize=7, color=style.MODEL_COLOURS["b"], fontweight="bold")
    if best:
        right.set_title(f"silhouette prefers {best}", fontsize=7)
    return figure


def _any(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).any())
