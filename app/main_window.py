"""The window: perspectives in the middle, navigator, inspector and jobs around them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from analysis.resources import resource_path
from app import run_choice, settings
from app.actions import DEFINITIONS, ActionRegistry, Facts, perspective_actions
from app.commands import Commands
from app.dropping import take_dropped
from app.edit_actions import EDIT_DEFINITIONS
from app.entry_commands import EntryCommands
from app.findings_panel import FindingsPanel
from app.history import LEADING, History, Place
from app.inspector import Inspector
from app.jobs_panel import JobsPanel
from app.navigator import Navigator
from app.pair_bar import PairBar
from app.perspectives import PERSPECTIVES, Presenter, make_presenter, perspective_of
from app.project_index import ModelEntry, ProjectIndex
from app.recent_menu import RecentMenu
from app.recent_pictures import RecentPictures
from app.session import HOVERING, Snapshot
from app.status_line import StatusLine
from app.tour import Tour
from app.warm_up import WarmUp
from app.welcome import project_summary
from app.window_connections import connect_parts
from app.window_docks import build_docks, list_docks, status_bar
from app.window_layouts import WindowLayouts
from app.window_style import find_button, find_style, progress_style, tab_style
from app.workspace import Workspace


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
        self.actions_registry = ActionRegistry(self, (*DEFINITIONS, *EDIT_DEFINITIONS, *go_to))
        self.navigator = Navigator()
        self.inspector = Inspector(workspace.thumbnails)
        keys = self.actions_registry["compare-models"].shortcut()
        self.inspector.set_compare_keys(keys.toString(QKeySequence.SequenceFormat.NativeText))
        self.pair_bar = PairBar()
        self.findings_panel = FindingsPanel()
        self.jobs_panel = JobsPanel(workspace.jobs)
        self.status_line = StatusLine(workspace.jobs, workspace.backend.accelerator_memory)
        self.presenters: dict[str, Presenter] = {}
        self._closing = False
        self._left_welcome_for: Path | None = None  # the project whose results were shown at once
        self._recent: tuple[Path, str] | None = None  # noted last in the list of recent projects
        self._build_centre()
        self.warm_up = WarmUp(self.presenters.values(), workspace.loader, self)
        self._build_docks()
        self._build_menus()
        self.layouts = WindowLayouts(self, self.docks)
        self.tour = Tour(self)
        self.recent_pictures = RecentPictures(self)
        self.commands = Commands(self)
        self.entry_commands = EntryCommands(self, self.commands)
        connect_parts(self)
        self.recent_menu.chosen.connect(self.commands.open_path)
        self.apply_style()
        self.resize(self.sizeHint())
        self.layouts.restore()
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
        self.docks = build_docks(
            self,
            {
                "navigator": self.navigator,
                "inspector": self.inspector,
                "findings": self.findings_panel,
                "jobs": self.jobs_panel,
            },
        )
        self.setStatusBar(status_bar(self.status_line))

    def _build_menus(self) -> None:
        menus = self.actions_registry.fill(self.menuBar())
        list_docks(menus["&View"], self.docks)
        self.recent_menu = RecentMenu(self)
        menus["&File"].insertMenu(self.actions_registry["sample"], self.recent_menu)
        for action in self.actions_registry.actions():
            self.addAction(action)  # shortcuts work even where the menu bar is hidden

    @Slot()
    def apply_style(self) -> None:
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
        self.on_tab()

    @Slot()
    def on_tab(self) -> None:
        name = self.perspective
        for other, presenter in self.presenters.items():
            if other != name:
                presenter.set_active(False)
        self.stack.setCurrentWidget(self.presenters[name].widget)
        self.presenters[name].set_active(True)
        shown = {p.id: p for p in PERSPECTIVES}[name]
        self.inspector.set_subject(name)
        self.pair_bar.show_layers(shown.uses_layers)
        self.pair_bar.setVisible(bool(shown.audits) and self.workspace.project is not None)
        self.layouts.enter(name)
        self._visit()

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
    def on_session(self, changes: frozenset[str], initiator: object) -> None:
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
        if initiator is LEADING:
            self.history.amend(Place(self.perspective, now))
            self.update_actions()
        elif changes - HOVERING and initiator is not self:
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
    def show_classes(self, names: tuple[str, ...]) -> None:
        self.pair_bar.set_classes(names)
        self.pair_bar.set_class(self.workspace.session.snapshot.class_name)

    @Slot(object)
    def on_index(self, index: ProjectIndex | None) -> None:
        self._note_recent(index)
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

    def _note_recent(self, index: ProjectIndex | None) -> None:
        """Put the project at the top of the recent ones, with what it holds now."""
        noted = None if index is None else (index.path, project_summary(index))
        if noted is not None and noted != self._recent:
            self._recent = noted
            settings.add_recent(*noted)

    def _leave_welcome(self, index: ProjectIndex | None) -> None:
        """A project with runs opens on their results, once; one may come back to Welcome."""
        if index is None or not index.runs or index.path == self._left_welcome_for:
            return
        self._left_welcome_for = index.path
        if self.perspective == "welcome" and self.tour.step is None:
            audits = {run.audit for run in index.runs if run.has_results} or {
                run.audit for run in index.runs
            }
            first = next((audit for audit in _FIRST_SHOWN if audit in audits), "concepts")
            self.show_perspective(perspective_of(first) or "concepts")

    @Slot(object)
    def on_project(self, project: object) -> None:
        self.history.clear()
        self.status_line.set_message("")  # what was said was about another project
        if project is not None:
            self.warm_up.start()
        self._show_title()
        self.on_tab()
        if project is None:
            self.navigator.clear_jobs()
            self.show_perspective("welcome")
        self.update_actions()

    @Slot(int)
    def on_job(self, number: int) -> None:
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
                picture=self.commands.pictures.in_front,
                busy=jobs.busy,
                resumable=any(run.resumable and run.id not in running for run in runs),
                can_go_back=self.history.can_go_back,
                sliced=now.image_slice is not None,
                undo=self.workspace.undo.standing.undo,
                redo=self.workspace.undo.standing.redo,
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
    def on_models(self, names: tuple[str, ...]) -> None:
        self.workspace.select_models(names, self.navigator)

    @Slot(object)
    def on_model_hovered(self, name: str | None) -> None:
        self.workspace.session.update({"hover_model": name}, self.navigator)

    # -- pair bar ------------------------------------------------------------------------------
    @Slot(object, object)
    def on_pair(self, model_a: str | None, model_b: str | None) -> None:
        now = self.workspace.session.snapshot
        if (model_a, model_b) == (now.model_b, now.model_a) and model_a != model_b:
            self.workspace.swap(self.pair_bar)
        else:
            self.workspace.set_pair(model_a, model_b, self.pair_bar)

    @Slot(object)
    def on_class(self, class_name: str | None) -> None:
        self.workspace.session.update({"class_name": class_name}, self.pair_bar)

    @Slot(object, object)
    def on_layers(self, layer_a: str | None, layer_b: str | None) -> None:
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

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ends at once when nothing runs; else asks, and ends when the job has stopped."""
        if not self._closing and self.workspace.jobs.busy:
            event.ignore()
            self.commands.ask_to_stop("Cancel and quit", self._quit_when_idle)
            return
        if not self._closing:
            self._closing = True
            self.warm_up.stop()
            self.layouts.save()
            self.workspace.shut_down()
        if self.workspace.running:
            event.ignore()  # closes again when the lanes have ended
            return
        self.workspace.close_project()
        event.accept()

    def _quit_when_idle(self) -> None:
        self.close()

    @Slot()
    def on_lanes_closed(self) -> None:
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


def _may_be_examples(now: Snapshot) -> bool:
    """Whether patches, concepts or units are in focus or selected."""
    focused = (now.image, now.concept, now.unit)
    return any(one is not None for one in focused) or bool(now.selection or now.units)
