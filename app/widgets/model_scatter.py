"""A scatter plot of few, named points with ellipses around them and a surface behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QWidget

from app.theme import theme
from app.widgets.colour_maps import levels_of
from app.widgets.ellipses import RADIUS_95, Ellipses
from app.widgets.heatmap_items import ColourBar
from app.widgets.name_labels import NameLabels
from app.widgets.name_places import FARTHEST
from app.widgets.plotting import pg
from app.widgets.scatter_data import ScatterData
from app.widgets.scatter_plot import ScatterPlot

CROWDED = 24
"""Of more points than this, names without room close by are shown on hover alone."""

_FARTHEST_IN_CROWD = 26.0  # pixels
_STRENGTH = 0.55  # of a surface's colours over the ground
_ROOM = 0.14  # around the points, for their names


@dataclass(frozen=True)
class Surface:
    """Values over the plane: `x` (columns,), `y` (rows,), `values` (rows, columns)."""

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    title: str


class ModelScatter(ScatterPlot):
    """A `ScatterPlot` whose points have names."""

    def __init__(self, name: str = "Scatter plot of models", parent: QWidget | None = None) -> None:
        self.names = NameLabels()
        self.ellipses = Ellipses()
        self.surface = pg.ImageItem()
        self.bar = ColourBar()
        self._surface: Surface | None = None
        self.crowded = CROWDED
        self._names: dict[int, str] = {}
        self._covariances: dict[int, np.ndarray] = {}
        super().__init__(name, parent)
        self.surface.setZValue(-20)
        self.surface.hide()
        for item in (self.surface, self.ellipses, self.names):
            self.plot.addItem(item, ignoreBounds=True)
        self.canvas.addItem(self.bar, 0, 1)
        self._show_bar(False)

    # -- data

    def set_models(
        self,
        data: ScatterData,
        names: dict[int, str],
        covariances: dict[int, np.ndarray] | None = None,
    ) -> None:
        """Show points with names; `covariances`, (2, 2) each, of those that have one."""
        self._names, self._covariances = names, covariances or {}
        x, y = self._bounds(data)
        data = ScatterData(**{**data.__dict__, "x_bounds": x, "y_bounds": y})
        self.set_data(data)
        self._place_names()

    def _bounds(self, data: ScatterData) -> tuple[tuple[float, float], tuple[float, float]]:
        """What must be seen: the points, their ellipses, and room for names."""
        spans = []
        for axis, values in enumerate((np.asarray(data.x, float), np.asarray(data.y, float))):
            reach = np.zeros(len(values))
            if self.ellipses.isVisible():
                for i, identity in enumerate(np.asarray(data.ids).tolist()):
                    covariance = self._covariances.get(identity)
                    if covariance is not None:
                        reach[i] = RADIUS_95 * np.sqrt(max(covariance[axis, axis], 0.0))
            there = np.isfinite(values)
            if not there.any():
                spans.append((0.0, 1.0))
                continue
            reach = np.nan_to_num(reach)
            low = float((values - reach)[there].min())
            high = float((values + reach)[there].max())
            room = (high - low) * _ROOM or max(abs(high), 1.0) * _ROOM
            spans.append((low - room, high + room))
        return spans[0], spans[1]

    def _place_names(self) -> None:
        ids = self.points.ids.tolist()
        names = tuple(self._names.get(identity, "") for identity in ids)
        self.names.farthest = FARTHEST if len(names) <= self.crowded else _FARTHEST_IN_CROWD
        self.names.set_names(names, self.points.x, self.points.y)
        self._draw_ellipses()
        self._mark_names()

    def _draw_ellipses(self) -> None:
        there = [i for i, key in enumerate(self.points.ids.tolist()) if key in self._covariances]
        ids = self.points.ids[there].tolist()
        middles = np.column_stack([self.points.x[there], self.points.y[there]])
        covariances = np.array([self._covariances[key] for key in ids]).reshape(-1, 2, 2)
        styles = self.data.styles if self.data is not None else ()
        colours = [QColor(styles[g].colour) for g in self.points.group[there].tolist()]
        self.ellipses.set_ellipses(middles, covariances, colours)

    def set_names_shown(self, shown: bool) -> None:
        self.names.setVisible(shown)

    def set_equal_scales(self, equal: bool) -> None:
        """One unit is as long across as upwards, so that distances can be compared."""
        self.plot.getViewBox().setAspectLocked(equal)
        self.show_all()

    def set_ellipses_shown(self, shown: bool) -> None:
        """Draw the ellipses; the plot makes room for them."""
        self.ellipses.setVisible(shown)
        if self.data is not None:
            x, y = self._bounds(self.data)
            self.data = ScatterData(**{**self.data.__dict__, "x_bounds": x, "y_bounds": y})
            self.show_all()

    # -- the surface

    def show_surface(self, surface: Surface | None) -> None:
        """Colour the plane behind the points; a colour bar stands beside it."""
        self._surface = surface
        self.surface.setVisible(surface is not None)
        self._show_bar(surface is not None)
        self._choose_edge()
        if surface is None:
            self.surface.clear()
            return
        finite = surface.values[np.isfinite(surface.values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        table = _faded(theme().magnitudes("cividis"))
        colours = table[levels_of(surface.values, low, high)]
        opaque = np.where(np.isfinite(surface.values), 255, 0).astype(np.uint8)
        self.surface.setImage(np.dstack([colours, opaque]), levels=(0, 255))
        self.surface.setRect(_extent(surface.x, surface.y))
        self.bar.colours = table
        self.bar.below = self.axes["bottom"].size().height()
        self.bar.set_scale(low, high, float("nan"), surface.title)

    def _choose_edge(self) -> None:
        """Marks on a coloured ground need a dark edge in either scheme."""
        dark = self._surface is not None or theme().dark
        edge = QPen(QColor("#11151A" if self._surface is not None else theme().tokens.text))
        if not dark:
            edge = QPen(theme().colour("surface"))
        edge.setWidthF(1.2 if self._surface is not None else 0.7)
        edge.setCosmetic(True)
        self._edge = edge
        self._draw_points()

    def _show_bar(self, shown: bool) -> None:
        self.bar.setVisible(shown)
        self.bar.setFixedWidth(82 if shown else 0)

    # -- shared state

    def set_selection(self, identities: frozenset[int]) -> None:
        super().set_selection(identities)
        self._mark_names()

    def set_hover(self, identity: int | None) -> None:
        super().set_hover(identity)
        self._mark_names()

    def restyle(self) -> None:
        super().restyle()
        self.show_surface(self._surface)
        self.names.update()

    def _mark_names(self) -> None:
        places = frozenset(self._places(self._selection).tolist())
        hover = None if self._hover is None else self.points.place_of.get(self._hover)
        self.names.mark(places, hover)


def _faded(table: np.ndarray) -> np.ndarray:
    """Colours mixed with the ground, so that marks and names stay readable on them."""
    ground = theme().colour("surface")
    mixed = _STRENGTH * table + (1 - _STRENGTH) * np.array(
        [ground.red(), ground.green(), ground.blue()]
    )
    return mixed.round().astype(np.uint8)


def _extent(x: np.ndarray, y: np.ndarray) -> QRectF:
    """The rectangle whose pixels have their middles at x and y."""
    wide = float(x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
    high = float(y[-1] - y[0]) / max(len(y) - 1, 1) or 1.0
    return QRectF(float(x[0]) - wide / 2, float(y[0]) - high / 2, wide * len(x), high * len(y))
