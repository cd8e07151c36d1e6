"""The names of points in a plot, drawn where they cover neither one another nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import style
from analysis.figures.labels import needs_line, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS_PER_INCH = 72.0
_POINTS_PER_MM = _POINTS_PER_INCH / 25.4


def name_points(
    axes: Axes,
    points: np.ndarray,
    names: Sequence[str],
    width_mm: float,
    size: float = 6.0,
    colours: Sequence[str] | None = None,
    radius: float = 3.2,
    halo: bool = False,
) -> None:
    """Write `names` beside `points`; call when everything else of the figure is there.

    :param points: (n, 2) in data coordinates; those with NaN get no name.
    :param width_mm: the longest name; longer ones lose their middle.
    :param size: of the type, and `radius` of the markers, in typographic points.
    :param halo: white around the letters, for names on a coloured ground.
    """
    from matplotlib.patheffects import withStroke

    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # the layout decides how far apart the points are
    shown = np.flatnonzero(np.isfinite(points).all(axis=1)).tolist()
    scale = _POINTS_PER_INCH / figure.dpi
    anchors = axes.transData.transform(points[shown]) * scale
    box = axes.get_window_extent()
    texts = [style.fitted(names[i], width_mm, size, middle=True) for i in shown]
    sizes = np.array(
        [
            (style.text_width_mm(text.replace(r"\$", "$"), size) * _POINTS_PER_MM + 3.0, size + 2.0)
            for text in texts
        ]
    ).reshape(-1, 2)
    bounds = (box.x0 * scale, box.y0 * scale, box.x1 * scale, box.y1 * scale)
    centres = place_labels(anchors, sizes, bounds, radius)
    effects = [withStroke(linewidth=1.6, foreground="white")] if halo else []
    for place, index in enumerate(shown):
        offset = centres[place] - anchors[place]
        line: dict[str, Any] | None = None
        if needs_line(anchors[place], centres[place], sizes[place], radius):
            line = {
                "arrowstyle": "-",
                "linewidth": 0.4,
                "color": style.TEXT_COLOUR if halo else style.LINE_COLOUR,
                "shrinkA": 0.0,
                "shrinkB": radius,
            }
        name = axes.annotate(
            texts[place],
            tuple(points[index]),
            xytext=tuple(offset),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            color=style.TEXT_COLOUR if colours is None else colours[index],
            arrowprops=line,
            zorder=6,
            path_effects=effects,
        )
        name.set_in_layout(False)
