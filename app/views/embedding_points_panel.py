"""The scatter of models in the embedding: flat, in three dimensions, with a surface behind."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QStackedWidget, QToolButton, QWidget

from analysis.figures.embedding_data import (
    EmbeddingPoints,
    PerformanceSurface,
    with_two_components,
)
from analysis.figures.words import shorten
from app.theme import font, mute
from app.views.embedding_columns import point_columns
from app.views.embedding_words import (
    axis_title,
    component_name,
    legend,
    point_line,
    surface_legend,
)
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.group_marks import group_mark
from app.widgets.model_scatter import CROWDED, ModelScatter, Surface
from app.widgets.name_ids import NameIds
from app.widgets.scatter_3d import Scatter3D
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.table_twin import TableTwin

_EMPTY = (
    "Where the models lie relative to one another, by the concepts that their units have learned."
)
_POINT_SIZE = 12.0
_TURNING = "Drag to turn, Shift and drag to choose models; Control and arrows turn, Home shows all."
_NO_TASK = "no task"
_NO_SECOND = "no second component"


class _Plots(QStackedWidget):
    """The flat plot and the one in three dimensions in one place."""

    def show_all(self) -> None:
        plot = self.currentWidget()
        if isinstance(plot, Scatter3D):
            plot.show_from_start()
        elif isinstance(plot, ModelScatter):
            plot.show_all()


class PointsPanel(FigurePanel):
    """Models by two or three components. Signals carry names of models."""

    models_chosen = Signal(object)  # tuple of names
    model_hovered = Signal(object)
    model_activated = Signal(object)
    axis_hovered = Signal(int)  # the component, counted from 1
    components_changed = Signal(int, int)
    task_requested = Signal(object)

    def __init__(self, ids: NameIds, parent: QWidget | None = None) -> None:
        self.flat = ModelScatter("Models in the embedding")
        self.solid: Scatter3D | None = None
        self.plots = _Plots()
        self.plots.addWidget(self.flat)
        self.plots.setFocusProxy(self.flat)
        super().__init__(
            "embedding",
            "Embedding",
            self.plots,
            TableTwin("model"),
            EmptyState(_EMPTY, "Embed models…", "run embedding"),
            parent,
        )
        self.data: EmbeddingPoints | None = None
        self.selected: tuple[str, ...] = ()
        self.title.hide()  # the perspective says it
        self._ids = ids
        self._surface: PerformanceSurface | None = None
        self._make_controls()
        self._connect(self.flat)
        assert self.table is not None
        self.table.selection_changed.connect(self._select_rows)
        self.table.row_hovered.connect(self.model_hovered)
        self.table.row_activated.connect(self.model_activated)

    def _make_controls(self) -> None:
        self.across = self._combo("Component to the right")
        self.up = self._combo("Component upwards")
        self.third = self._combo("Third component")
        self._taken: dict[QComboBox, int] = dict.fromkeys((self.across, self.up, self.third), 0)
        for combo in self._taken:
            combo.setMinimumWidth(combo.fontMetrics().horizontalAdvance("PC0") + 34)
            self.controls.addWidget(combo)
        self.across.activated.connect(self._choose_across)
        self.up.activated.connect(self._choose_up)
        self.third.activated.connect(self._choose_third)
        self.turning = QToolButton()
        self.turning.setText("3-D")
        self.turning.setFont(font("small"))
        self.turning.setCheckable(True)
        self.turning.setToolTip("Show three components, to be turned with the mouse")
        self.turning.toggled.connect(self._set_solid)
        self.controls.addWidget(self.turning)
        self.task = self._combo("Performance behind the points")
        self.task.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.task.setMinimumWidth(self.task.fontMetrics().horizontalAdvance(_NO_TASK) + 34)
        self.task.addItem(_NO_TASK, None)
        self.task.setToolTip("Colour the ground by performance in a task (k-NN regression)")
        self.task.activated.connect(self._choose_task)
        self.controls.addWidget(self.task)
        self._show_third(False)
        self._make_options()

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox()
        combo.setFont(font("small"))
        combo.setAccessibleName(name)
        return combo

    def _make_options(self) -> None:
        menu = QMenu(self)
        self.names_shown = QAction("Names", menu, checkable=True, checked=True)  # type: ignore[call-overload]
        self.ellipses_shown = QAction("Ellipses of the bootstrap", menu, checkable=True)  # type: ignore[call-overload]
        self.ellipses_shown.setChecked(True)
        self.equal_scales = QAction("Equal scales of the axes", menu, checkable=True)  # type: ignore[call-overload]
        self.equal_scales.setToolTip("One unit is as long across as upwards")
        self.equal_scales.toggled.connect(self.flat.set_equal_scales)
        for action in (self.names_shown, self.ellipses_shown):
            action.toggled.connect(self._show_parts)
            menu.addAction(action)
        menu.addAction(self.equal_scales)
        self.options = QToolButton()
        self.options.setText("Show ▾")
        self.options.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.options.setFont(font("small"))
        room = self.options.fontMetrics().horizontalAdvance("Show ▾") + 14
        self.options.setMinimumWidth(room)
        self.options.setToolTip("What is drawn with the points")
        self.options.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.options.setMenu(menu)
        self.controls.addWidget(self.options)

    def _connect(self, plot: ModelScatter) -> None:
        plot.selection_changed.connect(self._select_points)
        plot.point_hovered.connect(self._hover_point)
        plot.point_activated.connect(self._activate_point)
        plot.axis_hovered.connect(self._hover_axis)

    # -- setters

    def show_points(self, data: EmbeddingPoints | None) -> None:
        """Show an embedding, or the empty state."""
        self.data = data
        there = data is not None and len(data.models) > 0 and data.points.shape[1] > 0
        self.show_content(there)
        assert self.table is not None
        if data is None or not there:
            self.data = None
            self.flat.set_models(_NOTHING, {})
            self.table.set_columns([], [])
            self.show_surface(None)
            return
        self._list_components(data.points.shape[1])
        self.table.set_columns(list(data.models), point_columns(data))
        self._draw()

    def set_components(self, across: int, up: int) -> None:
        """Show these two components."""
        for combo, component in ((self.across, across), (self.up, up)):
            place = combo.findData(component)
            if place >= 0:
                combo.setCurrentIndex(place)
        shown = self.components()
        if self.third.currentData() in shown:  # what neither of the two shows
            left = (c for c in range(1, self.third.count() + 1) if c not in shown)
            self.third.setCurrentIndex(self.third.findData(next(left, self.third.currentData())))
        self._draw()

    def components(self) -> tuple[int, int]:
        """The components to the right and upwards, counted from 1."""
        return self.across.currentData() or 1, self.up.currentData() or 1

    def set_models(self, models: tuple[str, ...]) -> None:
        """Mark the shared selection."""
        self.selected = models
        for plot in self._all_plots():
            plot.set_selection(self._ids.ids_of(models))
        assert self.table is not None
        self.table.set_selection(models)

    def set_hover(self, model: str | None) -> None:
        """Ring the model hovered elsewhere."""
        for plot in self._all_plots():
            plot.set_hover(None if model is None else self._ids.id_of(model))

    def show_tasks(self, tasks: tuple[str, ...]) -> None:
        """The tasks whose performance can be drawn behind the points."""
        with QSignalBlocker(self.task):
            chosen = self.task.currentData()
            self.task.clear()
            self.task.addItem(_NO_TASK, None)
            for task in tasks:
                self.task.addItem(task, task)
            self.task.setCurrentIndex(max(0, self.task.findData(chosen)))
        self.task.setEnabled(bool(tasks) and not self.turning.isChecked())

    def show_surface(self, surface: PerformanceSurface | None) -> None:
        """Draw performance behind the points, if it belongs to the components shown."""
        self._surface = surface
        with QSignalBlocker(self.task):
            self.task.setCurrentIndex(
                0 if surface is None else max(0, self.task.findData(surface.task))
            )
        self._draw_surface()
        self._annotate()

    # -- drawing

    def _list_components(self, components: int) -> None:
        for combo, wanted in ((self.across, 1), (self.up, 2), (self.third, 3)):
            chosen = combo.currentData() or wanted
            with QSignalBlocker(combo):
                combo.clear()
                for component in range(1, components + 1):
                    combo.addItem(component_name(component), component)
                combo.setCurrentIndex(min(chosen, components) - 1)
        self.turning.setEnabled(components >= 3)
        if components < 3:
            self.turning.setChecked(False)

    def _draw(self) -> None:
        data = self.data
        if data is None:
            return
        self._taken = {axis: axis.currentData() for axis in self._taken}
        across, up = self.components()
        ids = [self._ids.id_of(model) for model in data.models]
        axes = [across - 1, up - 1]
        if data.points.shape[1] == 1:
            data, axes = with_two_components(data), [0, 1]
        self.flat.set_models(
            self._scatter_data(data, axes),
            dict(zip(ids, data.models, strict=True)),
            {
                identity: data.covariance[place][np.ix_(axes, axes)]
                for place, identity in enumerate(ids)
            },
        )
        if self.solid is not None and self.turning.isChecked():
            self._draw_solid(data, self.solid)
        self._draw_surface()
        self._annotate()
        self.set_models(self.selected)

    def _draw_solid(self, data: EmbeddingPoints, solid: Scatter3D) -> None:
        axes = [*(c - 1 for c in self.components()), self.third.currentData() - 1]
        ids = [self._ids.id_of(model) for model in data.models]
        titles = [axis_title(data, axis + 1).partition(" (")[0] for axis in axes]
        solid.set_points(
            self._scatter_data(data, axes),
            data.points[:, axes],
            dict(zip(ids, data.models, strict=True)),
            (titles[0], titles[1], titles[2]),
            {
                identity: data.covariance[place][np.ix_(axes, axes)]
                for place, identity in enumerate(ids)
            },
        )

    def _scatter_data(self, data: EmbeddingPoints, axes: list[int]) -> ScatterData:
        looks = list(zip(data.group, data.fitted.tolist(), strict=True))
        kinds = sorted(set(looks))
        styles = []
        for group, fitted in kinds:
            mark = group_mark(group)
            styles.append(PointStyle(mark.symbol, mark.colour, _POINT_SIZE, not fitted))
        return ScatterData(
            ids=np.array([self._ids.id_of(model) for model in data.models]),
            x=data.points[:, axes[0]],
            y=data.points[:, axes[1]],
            x_title=axis_title(data, axes[0] + 1),
            y_title=axis_title(data, axes[1] + 1) if self.up.count() > 1 else _NO_SECOND,
            group=np.array([kinds.index(look) for look in looks]),
            styles=tuple(styles),
            describe=self._describe,
        )

    def _draw_surface(self) -> None:
        surface = self._surface
        fits = (
            surface is not None
            and self.data is not None
            and (surface.component_x, surface.component_y) == self.components()
        )
        self.figure = "performance-map" if fits else "embedding"
        if surface is None or not fits:
            self.flat.show_surface(None)
            return
        title = shorten(surface.task, 11)
        self.flat.show_surface(Surface(surface.x, surface.y, surface.value, title))

    def _annotate(self) -> None:
        if self.data is None:
            return
        has_ellipses = self.ellipses_shown.isChecked() and self.flat.ellipses.count() > 0
        lines = [legend(self.data, has_ellipses)]
        if len(self.data.models) > CROWDED and self.names_shown.isChecked():
            lines.append("Names that find no room are shown when the mouse is on their point.")
        solid = self.turning.isChecked()
        if solid:
            lines.append(_TURNING)
        self.set_note("<br>".join(line for line in lines if line))
        surface = self._surface
        shown = surface is not None and self.figure == "performance-map" and not solid
        self.ground.setVisible(shown)
        self.ground.setText(surface_legend(surface) if surface is not None and shown else "")

    def _build(self) -> None:
        super()._build()
        self.ground = QLabel()
        self.ground.setFont(font("small"))
        mute(self.ground)
        self.ground.setTextFormat(Qt.TextFormat.PlainText)
        self.ground.setWordWrap(True)
        self.ground.setMinimumWidth(40)
        self.ground.hide()
        layout = self.layout()
        assert layout is not None
        layout.addWidget(self.ground)

    def _all_plots(self) -> list[ModelScatter]:
        return [self.flat] if self.solid is None else [self.flat, self.solid]

    def _describe(self, identity: int) -> str:
        name = self._ids.name_of(identity)
        if self.data is None or name is None or name not in self.data.models:
            return ""
        return point_line(self.data, name)

    # -- by hand

    def _choose_across(self) -> None:
        self._take_component(self.across)

    def _choose_up(self) -> None:
        self._take_component(self.up)

    def _choose_third(self) -> None:
        self._take_component(self.third)

    def _take_component(self, chosen: QComboBox) -> None:
        """An axis takes a component; the one that showed it takes what this one showed."""
        before = self._taken[chosen]
        for axis in self._taken:
            if axis is not chosen and axis.currentData() == chosen.currentData():
                axis.setCurrentIndex(axis.findData(before))
        self._draw()
        self.components_changed.emit(*self.components())

    def _choose_task(self) -> None:
        self.task_requested.emit(self.task.currentData())

    def _set_solid(self, solid: bool) -> None:
        if solid and self.solid is None:
            self.solid = Scatter3D()
            self.plots.addWidget(self.solid)
            self._connect(self.solid)
            self._show_parts()
        self._show_third(solid)
        plot = self.solid if solid and self.solid is not None else self.flat
        self.plots.setCurrentWidget(plot)
        self.plots.setFocusProxy(plot)
        self.task.setEnabled(not solid and self.task.count() > 1)
        self._draw()

    def _show_third(self, shown: bool) -> None:
        self.third.setVisible(shown)
        self.task.setVisible(not shown)

    def _show_parts(self) -> None:
        for plot in self._all_plots():
            plot.set_names_shown(self.names_shown.isChecked())
            plot.set_ellipses_shown(self.ellipses_shown.isChecked())
        self._annotate()

    def _select_points(self, chosen: frozenset[int]) -> None:
        self._tell(self._ids.ordered(chosen, self.selected))

    def _select_rows(self, models: frozenset[str]) -> None:
        order = self.data.models if self.data is not None else ()
        kept = [name for name in self.selected if name in models]
        self._tell((*kept, *(m for m in order if m in models and m not in kept)))

    def _tell(self, models: tuple[str, ...]) -> None:
        self.set_models(models)
        self.models_chosen.emit(models)

    def _hover_point(self, identity: int | None) -> None:
        self.model_hovered.emit(self._ids.name_of(identity))

    def _activate_point(self, identity: int) -> None:
        name = self._ids.name_of(identity)
        if name is not None:
            self.model_activated.emit(name)

    def _hover_axis(self, side: str) -> None:
        across, up = self.components()
        third = self.third.currentData() or 3
        place = {"bottom": across, "x": across, "left": up, "y": up, "z": third}
        self.axis_hovered.emit(place[side])


_NOTHING = ScatterData(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), "", "")
