"""Where models lie by their concepts, and everything that says why (Learned Concepts Embedding)."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    PerformanceSurface,
    Stability,
)
from analysis.figures.unit_data import Profiles
from analysis.figures.words import count
from app.labels import ElidedLabel, wrapped_label
from app.theme import GRID, PADDING, font
from app.views.embedding_correlations import CorrelationsTab
from app.views.embedding_ensembles import EnsemblesPanel
from app.views.embedding_groups import GroupsTab
from app.views.embedding_loadings import CountsPanel, LoadingsTab
from app.views.embedding_points_panel import PointsPanel
from app.views.embedding_stability import StabilityPanel
from app.views.embedding_words import trust_line
from app.views.profile_panel import ProfilesTab
from app.widgets.figure_panel import FigurePanel
from app.widgets.lazy_tabs import LazyTabs
from app.widgets.name_ids import NameIds
from app.widgets.splitter import Splitter

_CHOOSE = "Click on a model to select it, Ctrl-click to add another."


class EmbeddingView(QWidget):
    """Setters are silent; intents are signals that carry names of models, concepts and tasks.

    `compare_requested(model, model)`: the concept comparison of two models. `task_requested(task or
    None)`: the surface behind the points. `concept_requested(concept, category, component)`: the
    counts of one concept. `project_requested()`: the models of `set_unprojected`.
    """

    models_selected = Signal(object)  # tuple of names, in the order of selection
    model_hovered = Signal(object)
    compare_requested = Signal(str, str)
    task_requested = Signal(object)
    concept_requested = Signal(str, str, int)
    ensemble_task_requested = Signal(str)
    components_changed = Signal(int, int)
    show_units_requested = Signal(str)
    project_requested = Signal()
    export_requested = Signal(str, str)
    action_requested = Signal(str)  # of an empty state's button: "run embedding" …

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("embedding view")
        self._ids = NameIds()
        self._models: tuple[str, ...] = ()
        self._points: EmbeddingPoints | None = None
        self._loadings: EmbeddingLoadings | None = None
        self._profiles: Profiles | None = None
        self._pair: tuple[str, ...] = ()
        self._matrices: tuple[CorrelationMatrix | None, CorrelationMatrix | None] = (None, None)
        self._groups: GroupChoice | None = None
        self._stability: Stability | None = None
        self._ensembles: tuple[tuple[str, ...], EnsembleGains | None] = ((), None)
        self._counts: ConceptCounts | None = None
        self._axis = 1
        self.scatter = PointsPanel(self._ids)
        self._build()
        self._connect_panel(self.scatter)
        self.scatter.models_chosen.connect(self._choose)
        self.scatter.model_hovered.connect(self._hover)
        self.scatter.model_activated.connect(self._show_profile)
        self.scatter.axis_hovered.connect(self._follow_axis)
        self.scatter.components_changed.connect(self._take_components)
        self.scatter.task_requested.connect(self.task_requested)
        self.tabs.built.connect(self._fill)
        self.show_points(None)

    # -- construction

    def _build(self) -> None:
        self.tabs = LazyTabs()
        self.tabs.add("profiles", "Profiles", self._make_profiles)
        self.tabs.add("loadings", "Loadings", self._make_loadings)
        self.tabs.add("correlations", "Correlations", self._make_correlations)
        self.tabs.add("ensembles", "Ensembles", self._make_ensembles)
        self.tabs.add("groups", "Groups", self._make_groups)
        self.tabs.add("stability", "Stability", self._make_stability)
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self._left_side())
        self.splitter.addWidget(self.tabs)
        self.splitter.setSizes([640, 560])
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(PADDING)
        self.tabs.setMinimumWidth(320)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, GRID, PADDING, GRID)
        layout.addWidget(self.splitter)

    def _left_side(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(400)
        self.newcomers = QWidget()
        row = QHBoxLayout(self.newcomers)
        row.setContentsMargins(0, 0, 0, 0)
        self.newcomers_text = ElidedLabel()
        self.newcomers_text.setFont(font("small"))
        self.project_button = QPushButton("Project them")
        self.project_button.setToolTip("Put these models into this embedding without refitting it")
        self.project_button.clicked.connect(self.project_requested)
        row.addWidget(self.newcomers_text, 1)
        row.addWidget(self.project_button)
        self.newcomers.hide()
        self.trust = wrapped_label()
        self.trust.setFont(font("small"))
        self.chosen = ElidedLabel(_CHOOSE)
        self.chosen.setFont(font("small"))
        self.compare_button = QPushButton("Compare these two models")
        self.compare_button.setToolTip("Needs exactly two selected models")
        self.compare_button.setEnabled(False)
        self.compare_button.clicked.connect(self._compare)
        self.below = QWidget()
        line = QHBoxLayout(self.below)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.chosen, 1)
        line.addWidget(self.compare_button)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.newcomers)
        layout.addWidget(self.scatter, 1)
        layout.addWidget(self.trust)
        layout.addWidget(self.below)
        return side

    def _connect_panel(self, panel: FigurePanel) -> None:
        panel.export_requested.connect(self.export_requested)
        panel.action.connect(self.action_requested)

    def _make_profiles(self) -> QWidget:
        tab = ProfilesTab()
        tab.profiles.title.hide()  # the tab says it
        tab.profiles.models_chosen.connect(self._choose_set)
        tab.profiles.model_hovered.connect(self._hover)
        tab.concepts.concept_activated.connect(self.show_units_requested)
        for panel in (tab.profiles, tab.concepts):
            self._connect_panel(panel)
        return tab

    def _make_loadings(self) -> QWidget:
        tab = LoadingsTab(self._ids)
        tab.concept_requested.connect(self.concept_requested)
        tab.loadings.concept_activated.connect(self.show_units_requested)
        tab.counts.units_requested.connect(self.show_units_requested)
        tab.counts.models_chosen.connect(self._choose_set)
        tab.counts.model_hovered.connect(self._hover)
        for panel in (tab.loadings, tab.counts):
            self._connect_panel(panel)
        return tab

    def _make_correlations(self) -> QWidget:
        tab = CorrelationsTab()
        tab.task_activated.connect(self.task_requested)
        for panel in tab.panels.values():
            self._connect_panel(panel)
        return tab

    def _make_ensembles(self) -> QWidget:
        panel = EnsemblesPanel()
        panel.title.hide()
        panel.task_requested.connect(self.ensemble_task_requested)
        panel.pair_chosen.connect(self._choose_pair)
        panel.pair_activated.connect(self.compare_requested)
        self._connect_panel(panel)
        return panel

    def _make_groups(self) -> QWidget:
        tab = GroupsTab()
        for panel in (tab.groups, tab.variance):
            self._connect_panel(panel)
        return tab

    def _make_stability(self) -> QWidget:
        panel = StabilityPanel()
        panel.title.hide()
        self._connect_panel(panel)
        return panel

    def showEvent(self, event: QShowEvent) -> None:
        """The tab in front is built when the view is first seen."""
        super().showEvent(event)
        self.tabs.build(self.tabs.key())

    # -- setters

    def show_points(self, data: EmbeddingPoints | None) -> None:
        """Show an embedding, or the empty state."""
        self._points = data
        self.scatter.show_points(data)
        self.below.setVisible(data is not None and len(data.models) > 0)
        self._say_trust()
        for key in ("profiles", "loadings", "groups"):
            self._refill(key)

    def show_loadings(self, data: EmbeddingLoadings | None) -> None:
        """Show the loadings of all components."""
        self._loadings = data
        self._say_trust()
        self._refill("loadings")

    def show_profiles(self, data: Profiles | None) -> None:
        """Show the dissected models' profiles."""
        self._profiles = data
        self._refill("profiles")

    def show_correlations(
        self, profile: CorrelationMatrix | None, performance: CorrelationMatrix | None
    ) -> None:
        """Show the components' correlations with profiles and with performance."""
        self._matrices = (profile, performance)
        self._refill("correlations")

    def show_groups(self, data: GroupChoice | None) -> None:
        """Show the choice of the number of groups."""
        self._groups = data
        self._refill("groups")

    def show_stability(self, data: Stability | None) -> None:
        """Show what changes do to groups and places."""
        self._stability = data
        self._say_trust()
        self._refill("stability")

    def show_tasks(self, tasks: tuple[str, ...]) -> None:
        """The tasks whose performance can be drawn behind the points."""
        self.scatter.show_tasks(tasks)

    def show_surface(self, surface: PerformanceSurface | None) -> None:
        """Draw performance behind the points, or none."""
        self.scatter.show_surface(surface)

    def show_ensembles(self, tasks: tuple[str, ...], data: EnsembleGains | None) -> None:
        """Show the gains of ensembles in one of the tasks."""
        self._ensembles = (tasks, data)
        self._refill("ensembles")

    def show_counts(self, data: ConceptCounts | None) -> None:
        """Show how many units of each model know a concept."""
        self._counts = data
        tab = self.tabs.contents.get("loadings")
        if isinstance(tab, LoadingsTab):
            tab.counts.show_counts(data, self._points)
            tab.counts.set_models(self._models)

    def set_models(self, models: tuple[str, ...]) -> None:
        """Mark the shared selection of models."""
        self._models = tuple(models)
        self.scatter.set_models(self._models)
        for panel in self._following():
            panel.set_models(self._models)
        two = len(self._models) == 2
        self.compare_button.setEnabled(two)
        self.chosen.setText(_selection_words(self._models))

    def set_pair(self, models: tuple[str, ...]) -> None:
        """A and B, to be compared while no model is selected."""
        self._pair = tuple(models)
        for panel in self._following():
            if isinstance(panel, ProfilesTab):
                panel.set_pair(self._pair)

    def set_hover(self, model: str | None) -> None:
        """Ring the model hovered in another view."""
        self.scatter.set_hover(model)
        for panel in self._following():
            panel.set_hover(model)

    def set_components(self, across: int, up: int) -> None:
        """Show two components of the embedding."""
        self.scatter.set_components(across, up)
        self._follow_axis(across)

    def set_unprojected(self, models: tuple[str, ...]) -> None:
        """Models that were dissected since, and are not in the embedding yet."""
        self.newcomers.setVisible(bool(models))
        many = count(len(models), "model")
        self.newcomers_text.setText(f"{many} not in this embedding yet: {', '.join(models)}")
        self.project_button.setText("Project it" if len(models) == 1 else "Project them")

    # -- the tabs' contents

    def _following(self) -> list[ProfilesTab | CountsPanel]:
        """Panels beside the scatter that follow the selection of models."""
        found: list[ProfilesTab | CountsPanel] = []
        for tab in self.tabs.contents.values():
            if isinstance(tab, ProfilesTab):
                found.append(tab)
            elif isinstance(tab, LoadingsTab):
                found.append(tab.counts)
        return found

    def _refill(self, key: str) -> None:
        if key in self.tabs.contents:
            self._fill(key)

    def _fill(self, key: str) -> None:
        tab = self.tabs.contents[key]
        if isinstance(tab, ProfilesTab):
            tab.set_pair(self._pair)
            tab.show_profiles(self._profiles, self._group_of())
            tab.set_models(self._models)
        elif isinstance(tab, LoadingsTab):
            tab.loadings.show_loadings(self._loadings)
            tab.loadings.follow_axis(self._axis)
            tab.counts.show_counts(self._counts, self._points)
            tab.counts.set_models(self._models)
        elif isinstance(tab, CorrelationsTab):
            tab.show_matrices(*self._matrices)
        elif isinstance(tab, EnsemblesPanel):
            tab.show_ensembles(*self._ensembles)
        elif isinstance(tab, GroupsTab):
            tab.groups.show_groups(self._groups)
            tab.variance.show_points(self._points)
        elif isinstance(tab, StabilityPanel):
            tab.show_stability(self._stability)

    def _group_of(self) -> dict[str, str]:
        points = self._points
        return {} if points is None else dict(zip(points.models, points.group, strict=True))

    def _say_trust(self) -> None:
        text = trust_line(self._points, self._loadings, self._stability)
        self.trust.setText(text)
        self.trust.setVisible(bool(text))

    # -- by hand

    def _choose(self, models: tuple[str, ...]) -> None:
        self.set_models(models)
        self.models_selected.emit(models)

    def _choose_set(self, models: frozenset[str]) -> None:
        for model in sorted(models):
            self._ids.id_of(model)
        self._choose(self._ids.ordered(self._ids.ids_of(models), self._models))

    def _choose_pair(self, first: str, second: str) -> None:
        models = (first,) if first == second else (first, second)
        if models != self._models:
            self._choose(models)

    def _hover(self, model: str | None) -> None:
        self.set_hover(model)
        self.model_hovered.emit(model)

    def _show_profile(self, _model: str) -> None:
        self.tabs.show_tab("profiles")

    def _follow_axis(self, component: int) -> None:
        self._axis = component
        tab = self.tabs.contents.get("loadings")
        if isinstance(tab, LoadingsTab):
            tab.loadings.follow_axis(component)

    def _take_components(self, across: int, up: int) -> None:
        self._follow_axis(across)
        self.components_changed.emit(across, up)

    def _compare(self) -> None:
        if len(self._models) == 2:
            self.compare_requested.emit(*self._models)


def _selection_words(models: tuple[str, ...]) -> str:
    if not models:
        return _CHOOSE
    if len(models) == 2:
        return " ⇄ ".join(models)
    return f"{count(len(models), 'model')} selected: {', '.join(models)}"
