"""The window: perspectives in the middle, navigator, inspector and jobs around them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QStatusBar,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from analysis.resources import resource_path
from app import run_choice, settings, theme
from app.actions import DEFINITIONS, ActionRegistry, Facts, perspective_actions
from app.commands import Commands
from app.dropping import take_dropped
from app.entry_commands import EntryCommands
from app.history import History, Place
from app.inspector import Inspector
from app.jobs_panel import JobsPanel
from app.navigator import Navigator
from app.pair_bar import PairBar
from app.perspectives import PERSPECTIVES, Presenter, make_presenter, perspective_of
from app.project_index import ModelEntry, ProjectIndex
from app.session import HOVERING, Snapshot
from app.status_line import StatusLine
from app.window_style import find_button, find_style, progress_style, tab_style
from app.workspace import Workspace

_LAYOUT_VERSION = 1
_WARM_UP_MS = 300


class MainWindow(QMainWindow):
    """Puts the parts together; what they do together is in `Commands`."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        workspace.setParent(self)
        self.setObjectName("main window")
        self.setWindowIcon(QIcon(str(resource_path("icons", "parallax.svg"))))
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.history = History()
        go_to = perspective_actions((p.id, p.title) for p in PERSPECTIVES)
        self.actions_registry = ActionRegistry(self, (*DEFINITIONS, *go_to))
        self.navigator = Navigator()
        self.inspector = Inspector(workspace.thumbnails)
        keys = self.actions_registry["compare-models"].shortcut()
        self.inspector.set_compare_keys(keys.toString(QKeySequence.SequenceFormat.NativeText))
        self.pair_bar = PairBar()
        self.jobs_panel = JobsPanel(workspace.jobs)
        self.status_line = StatusLine(workspace.jobs)
        self.presenters: dict[str, Presenter] = {}
        self._closing = False
        self._left_welcome_for: Path | None = None  # the project whose results were shown at once
        self._recent: Path | None = None  # the project noted last in the list of recent ones
        self._warm_up = QTimer(self)
        self._warm_up.setSingleShot(True)
        self._warm_up.setInterval(_WARM_UP_MS)
        self._warm_up.timeout.connect(self._build_next_view)
        self._build_centre()
        self._build_docks()
        self._build_menus()
        self.commands = Commands(self)
        self.entry_commands = EntryCommands(self, self.commands)
        self._connect()
        self._first_layout: QByteArray = self.saveState(_LAYOUT_VERSION)
        self._restore_layout()
        self._show_title()
        self.show_perspective("welcome")
        self.update_actions()

    # -- building ------------------------------------------------------------------------------
    def _build_centre(self) -> None:
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Perspectives")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setObjectName("perspective tabs")
        self.stack = QStackedWidget()
        for perspective in PERSPECTIVES:
            presenter = make_presenter(perspective, self.workspace)
            presenter.setParent(self)
            self.presenters[perspective.id] = presenter
            position = self.tabs.addTab(perspective.title)
            self.tabs.setTabData(position, perspective.id)
            self.stack.addWidget(presenter.widget)
        bar = QToolBar("Perspectives")
        bar.setObjectName("perspectives")
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.toggleViewAction().setVisible(False)
        bar.addWidget(self.tabs)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        self.find_button = find_button()
        bar.addWidget(self.find_button)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pair_bar)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(centre)

    def _build_docks(self) -> None:
        areas = Qt.DockWidgetArea
        self.docks = {
            "navigator": self._dock("Project", self.navigator, areas.LeftDockWidgetArea),
            "inspector": self._dock("Inspector", self.inspector, areas.RightDockWidgetArea),
            "jobs": self._dock("Jobs", self.jobs_panel, areas.BottomDockWidgetArea),
        }
        self.docks["jobs"].hide()
        self.navigator.setMinimumWidth(150)
        self.inspector.setMinimumWidth(210)
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, areas.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, areas.RightDockWidgetArea),
        ):
            self.setCorner(corner, area)
        self.resizeDocks(
            [self.docks["navigator"], self.docks["inspector"]],
            [220, 240],
            Qt.Orientation.Horizontal,
        )
        self.resizeDocks([self.docks["jobs"]], [200], Qt.Orientation.Vertical)
        status = QStatusBar()
        status.setSizeGripEnabled(True)
        status.setContentsMargins(0, 0, 0, 0)
        status.addWidget(self.status_line, 1)
        self.setStatusBar(status)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock {title}")
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _build_menus(self) -> None:
        menus = self.actions_registry.fill(self.menuBar())
        view = menus["&View"]
        view.addSeparator()
        for key, dock in self.docks.items():
            action = dock.toggleViewAction()
            action.setText(f"Panel: {dock.windowTitle()}")
            action.setShortcut(QKeySequence(_DOCK_KEYS[key]))
            view.addAction(action)
        self.recent_menu = QMenu("Open r&ecent", self)
        menus["&File"].insertMenu(self.actions_registry["sample"], self.recent_menu)
        self.recent_menu.aboutToShow.connect(self._fill_recent)
        for action in self.actions_registry.actions():
            self.addAction(action)  # shortcuts work even where the menu bar is hidden

    def _connect(self) -> None:
        workspace, commands = self.workspace, self.commands
        self.actions_registry.triggered.connect(commands.do)
        self.find_button.clicked.connect(self.actions_registry["palette"].trigger)
        self.tabs.currentChanged.connect(self._on_tab)
        self.pair_bar.pair_changed.connect(self._on_pair)
        self.pair_bar.swap_requested.connect(self.actions_registry["swap"].trigger)
        self.pair_bar.class_changed.connect(self._on_class)
        self.pair_bar.layers_changed.connect(self._on_layers)
        self.navigator.intent.connect(self.entry_commands.do)
        self.navigator.models_selected.connect(self._on_models)
        self.navigator.model_hovered.connect(self._on_model_hovered)
        self.status_line.cancel_requested.connect(workspace.jobs.cancel)
        self.jobs_panel.cancel_requested.connect(workspace.jobs.cancel)
        self.jobs_panel.retry_requested.connect(commands.retry)
        self.jobs_panel.problem_requested.connect(commands.show_job_problem)
        self.inspector.image_activated.connect(commands.open_image)
        self.inspector.saliency_wished.connect(commands.pictures.show_image)
        for presenter in self.presenters.values():
            presenter.wish.connect(commands.do)
            presenter.export_wished.connect(commands.export_view)
        for name, slot in (
            ("recent_chosen", commands.open_path),
            ("pair_opened", commands.open_layer_pair),
            ("compare_wished", commands.models.compare),
            ("units_wished", commands.models.show_units),
            ("projection_wished", commands.models.project),
            ("saliency_wished", commands.pictures.show_image),
            ("concept_wished", commands.concepts.save),
        ):
            for presenter in self.presenters.values():
                if hasattr(presenter, name):
                    getattr(presenter, name).connect(slot)
        workspace.session.changed.connect(self._on_session)
        workspace.index_changed.connect(self._on_index)
        workspace.classes_changed.connect(self._show_classes)
        workspace.project_changed.connect(self._on_project)
        workspace.focus.concept_changed.connect(self.inspector.show_concept)
        workspace.focus.unit_changed.connect(self.inspector.show_unit)
        workspace.focus.image_changed.connect(self.inspector.show_image)
        workspace.jobs.changed.connect(self._on_job)
        workspace.jobs.added.connect(self._on_job)
        workspace.jobs.device_known.connect(self.status_line.set_device)
        workspace.jobs.busy_changed.connect(self.update_actions)
        workspace.lanes_closed.connect(self._on_lanes_closed)
        theme.theme().changed.connect(self._style)
        self._style()

    @Slot()
    def _style(self) -> None:
        for part in (self.jobs_panel, self.status_line):
            part.setStyleSheet(progress_style())
        self.tabs.setStyleSheet(tab_style())
        self.find_button.setStyleSheet(find_style())
        self.navigator.set_pair(*self.navigator.pair)

    # -- perspectives --------------------------------------------------------------------------
    @property
    def perspective(self) -> str:
        """The perspective in front."""
        return str(self.tabs.tabData(self.tabs.currentIndex()))

    @Slot(str)
    def show_perspective(self, name: str) -> None:
        """Bring a perspective to the front."""
        for position in range(self.tabs.count()):
            if self.tabs.tabData(position) == name:
                self.tabs.setCurrentIndex(position)
        self._on_tab()

    @Slot()
    def _on_tab(self) -> None:
        name = self.perspective
        for other, presenter in self.presenters.items():
            if other != name:
                presenter.set_active(False)
        self.stack.setCurrentWidget(self.presenters[name].widget)
        self.presenters[name].set_active(True)
        uses_pair = {p.id: p.uses_pair for p in PERSPECTIVES}[name]
        self.inspector.set_subject(name)
        self.pair_bar.setVisible(uses_pair and self.workspace.project is not None)
        self._visit()

    @Slot()
    def _build_next_view(self) -> None:
        """Build one perspective's view ahead of its first use, then the next one later."""
        for presenter in self.presenters.values():
            if not presenter.built:
                presenter.view  # noqa: B018  (made on first access)
                self._warm_up.start()
                return

    def go_back(self) -> None:
        """Show what was shown before."""
        place = self.history.back()
        if place is not None:
            self.workspace.session.update(place.changes(), self)
            self.show_perspective(place.perspective)
        self.update_actions()

    def _visit(self) -> None:
        if self.workspace.project is not None:
            self.history.visit(Place(self.perspective, self.workspace.session.snapshot))
            self.update_actions()

    # -- following -----------------------------------------------------------------------------
    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], initiator: object) -> None:
        now = self.workspace.session.snapshot
        if changes & {"model_a", "model_b"}:
            self.pair_bar.set_pair(now.model_a, now.model_b)
            self.navigator.set_pair(now.model_a, now.model_b)
        if changes & {"layer_a", "layer_b", "model_a", "model_b", "run_concepts"}:
            self._show_layers()
        if "class_name" in changes:
            self.pair_bar.set_class(now.class_name)
        if "models" in changes:
            self.navigator.select_models(now.models)
            self.inspector.show_models(self._chosen_models())
            self.update_actions()
        if "hover_model" in changes:
            self.navigator.set_hover(now.hover_model)
        if changes - HOVERING and initiator is not self:
            self._visit()

    def _chosen_models(self) -> tuple[ModelEntry, ...]:
        index = self.workspace.index
        names = self.workspace.session.snapshot.models if index is not None else ()
        found = (index.model(name) for name in names if index is not None)
        return tuple(model for model in found if model is not None)

    def _show_layers(self) -> None:
        index, now = self.workspace.index, self.workspace.session.snapshot
        if index is not None:
            self.pair_bar.set_layers(*run_choice.layer_choices(index, now))
        self.pair_bar.set_layer_pair(now.layer_a, now.layer_b)

    @Slot(object)
    def _show_classes(self, names: tuple[str, ...]) -> None:
        self.pair_bar.set_classes(names)
        self.pair_bar.set_class(self.workspace.session.snapshot.class_name)

    @Slot(object)
    def _on_index(self, index: ProjectIndex | None) -> None:
        if index is not None and index.path != self._recent:
            self._recent = index.path
            settings.add_recent(index.path)
        self.navigator.show_index(index)
        self.navigator.select_models(self.workspace.session.snapshot.models)
        self.inspector.show_models(self._chosen_models())
        self.pair_bar.set_models([m.name for m in index.networks] if index is not None else [])
        now = self.workspace.session.snapshot
        self.pair_bar.set_pair(now.model_a, now.model_b)
        self._show_layers()
        self._show_title()
        self._leave_welcome(index)
        self.update_actions()

    def _leave_welcome(self, index: ProjectIndex | None) -> None:
        """A project with runs opens on their results, once; one may come back to Welcome."""
        if index is None or not index.runs or index.path == self._left_welcome_for:
            return
        self._left_welcome_for = index.path
        if self.perspective == "welcome":
            audits = {run.audit for run in index.runs}
            first = next((audit for audit in _FIRST_SHOWN if audit in audits), "concepts")
            self.show_perspective(perspective_of(first) or "concepts")

    @Slot(object)
    def _on_project(self, project: object) -> None:
        self.history.clear()
        if project is not None:
            self._warm_up.start()
        self._show_title()
        self._on_tab()
        if project is None:
            self.navigator.clear_jobs()
            self.show_perspective("welcome")
        self.update_actions()

    @Slot(int)
    def _on_job(self, number: int) -> None:
        record = self.workspace.jobs.record(number)
        if record is not None and record.run is not None:
            self.navigator.set_job(record.run, None if record.state.finished else record)
        if record is not None and record.state.finished and record.run is not None:
            self.status_line.set_message(f"{record.title}: {record.state}")

    @Slot()
    def update_actions(self) -> None:
        """Enable what is possible now."""
        index, jobs = self.workspace.index, self.workspace.jobs
        now = self.workspace.session.snapshot
        running = {record.run for record in jobs.active()}
        runs = index.runs if index is not None else ()
        self.actions_registry.update(
            Facts(
                project=self.workspace.project is not None,
                writable=self.workspace.writable,
                networks=len(index.networks) if index is not None else 0,
                dissected=len(index.dissected) if index is not None else 0,
                selected=len(now.models),
                image=now.image is not None,
                examples=_may_be_examples(now),
                image_sets=len(index.image_sets) if index is not None else 0,
                results=any(run.has_results for run in runs),
                busy=jobs.busy,
                resumable=any(run.resumable and run.id not in running for run in runs),
                can_go_back=self.history.can_go_back,
            )
        )

    def _show_title(self) -> None:
        project = self.workspace.project
        if project is None:
            self.setWindowTitle("Parallax")
            return
        note = " (read-only)" if project.read_only else ""
        self.setWindowTitle(f"{Path(project.path).name}{note} — Parallax")

    @Slot(object)
    def _on_models(self, names: tuple[str, ...]) -> None:
        self.workspace.select_models(names, self.navigator)

    @Slot(object)
    def _on_model_hovered(self, name: str | None) -> None:
        self.workspace.session.update({"hover_model": name}, self.navigator)

    # -- pair bar ------------------------------------------------------------------------------
    @Slot(object, object)
    def _on_pair(self, model_a: str | None, model_b: str | None) -> None:
        now = self.workspace.session.snapshot
        if (model_a, model_b) == (now.model_b, now.model_a) and model_a != model_b:
            self.workspace.swap(self.pair_bar)
        else:
            self.workspace.set_pair(model_a, model_b, self.pair_bar)

    @Slot(object)
    def _on_class(self, class_name: str | None) -> None:
        self.workspace.session.update({"class_name": class_name}, self.pair_bar)

    @Slot(object, object)
    def _on_layers(self, layer_a: str | None, layer_b: str | None) -> None:
        self.workspace.set_layers(layer_a, layer_b, self.pair_bar)

    # -- dropping ------------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # What is dragged out of a grid is for other programs.
        if event.source() is None and any(u.isLocalFile() for u in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """See `take_dropped`."""
        paths = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        event.acceptProposedAction()
        take_dropped(paths, self.commands)

    # -- layout, recent, end -------------------------------------------------------------------
    def sizeHint(self) -> QSize:
        return QSize(1360, 860)

    def _restore_layout(self) -> None:
        self.resize(self.sizeHint())
        geometry, state = settings.load_layout()
        if geometry is not None:
            self.restoreGeometry(geometry)
        if state is not None:
            self.restoreState(state, _LAYOUT_VERSION)

    def reset_layout(self) -> None:
        """Every panel back where it was at first."""
        settings.forget_layout()
        self.restoreState(self._first_layout, _LAYOUT_VERSION)

    @Slot()
    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for path in settings.recent_projects():
            action = self.recent_menu.addAction(f"{path.stem}   {path.parent}")
            action.setData(str(path))
            action.triggered.connect(self.commands.open_recent)
        if self.recent_menu.isEmpty():
            self.recent_menu.addAction("No project yet").setEnabled(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ends at once when nothing runs; else asks, and ends when the job has stopped."""
        if not self._closing and self.workspace.jobs.busy:
            event.ignore()
            self.commands.ask_to_stop("Cancel and quit", self._quit_when_idle)
            return
        if not self._closing:
            self._closing = True
            self._warm_up.stop()
            settings.save_layout(
                self.saveGeometry(), self.saveState(_LAYOUT_VERSION), self.perspective
            )
            self.workspace.shut_down()
        if self.workspace.running:
            event.ignore()  # closes again when the lanes have ended
            return
        self.workspace.close_project()
        event.accept()

    def _quit_when_idle(self) -> None:
        self.close()

    @Slot()
    def _on_lanes_closed(self) -> None:
        if self._closing and self.isVisible():
            self.close()


_FIRST_SHOWN = (
    "concepts",
    "layers",
    "embedding",
    "dissection",
    "evaluation",
    "saliency",
    "semantics",
)
_DOCK_KEYS = {"navigator": "F9", "inspector": "F10", "jobs": "Ctrl+J"}


def _may_be_examples(now: Snapshot) -> bool:
    """Whether patches, concepts or units are in focus or selected."""
    focused = (now.image, now.concept, now.unit)
    return any(one is not None for one in focused) or bool(now.selection or now.units)
