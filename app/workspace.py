"""The open project and everything that works on it: lanes, jobs, session. No widgets here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from analysis.progress import Progress
from analysis.project import Project
from app import project_edits, reversible, run_choice
from app.backend import Backend
from app.collector import MainThreadCollector
from app.figure_pictures import FigurePictures
from app.focus import Focus
from app.jobs import Jobs
from app.lanes import Lane
from app.loading import Loader
from app.problems import Problem, problem_of
from app.project_index import ProjectIndex, RunEntry, read_index
from app.session import Session
from app.session_signals import SessionSignals
from app.slice_focus import SliceFocus
from app.thumbnails import ThumbnailProvider
from app.undo import Edited, UndoStack

_COALESCE_MS = 250
_OPEN = "open the project"
_INDEX = "list the project"


class Workspace(QObject):
    """One project at a time. Signals tell the window what to show."""

    project_changed = Signal(object)  # Project or None
    project_closing = Signal()  # it is still there
    index_changed = Signal(object)  # ProjectIndex or None
    results_changed = Signal(object)  # frozenset of run ids with new results
    problem_found = Signal(object, str)  # Problem, what was being done
    open_failed = Signal(object, object)  # Problem, path
    classes_changed = Signal(object)  # class names of the concepts run shown
    lanes_closed = Signal()

    def __init__(self, backend: Backend | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.backend = backend or Backend()
        self._collector = MainThreadCollector(self)
        self.compute = Lane("compute", self)
        self.store = Lane("store", self)
        self.pictures = Lane("pictures", self)
        self.explanations = Lane("explanations", self)  # of single pictures, beside a run
        self.jobs = Jobs(self.compute, self, brief=self.explanations)
        self.drawing = Lane("drawing", self)  # figures and pages, which take seconds
        self.loader = Loader(self.store, self)
        self.undo = UndoStack(self.store, self)
        self.drawer = Loader(self.drawing, self)
        self.figure_pictures = FigurePictures(self.backend, self.drawer, self)
        self.session = SessionSignals(Session(), self)
        self.thumbnails = ThumbnailProvider(self.pictures, self)
        self.focus = Focus(self.backend, self.loader, self.session, self)
        self.slices = SliceFocus(self.backend, self.loader, self.session, self)
        self.project: Project | None = None
        self.index: ProjectIndex | None = None
        self._opening: Path | None = None
        self._sample_job: int | None = None
        self._dirty_runs: set[int] = set()
        self._followed: set[int] = set()
        self._quiet_jobs: set[int] = set()  # whose dialog says itself what went wrong
        self._renamed: dict[str, Any] = {}
        self.classes: tuple[str, ...] = ()
        self.points: Any = None  # the ConceptPoints on the screen, for finding concepts
        self._when_idle: Callable[[], None] | None = None
        self._coalesce = QTimer(self)
        self._coalesce.setSingleShot(True)
        self._coalesce.setInterval(_COALESCE_MS)
        self._coalesce.timeout.connect(self._publish_results)
        self.session.changed.connect(self._on_session)
        self.jobs.unit_committed.connect(self._on_unit)
        self.jobs.ended.connect(self._on_job_ended)
        self.jobs.busy_changed.connect(self._on_busy)
        self.undo.edited.connect(self._on_edit_done)
        self.undo.failed.connect(self.problem_found)
        self.loader.failed.connect(self._on_load_failed)
        self.project_changed.connect(self.figure_pictures.set_project)
        self.index_changed.connect(self.figure_pictures.set_index)
        self.results_changed.connect(self.figure_pictures.on_results)
        for lane in self._lanes():
            lane.closed.connect(self._on_lane_closed)

    # -- project -------------------------------------------------------------------------------
    def open(self, path: Path, read_only: bool = False) -> None:
        """Open a project in the store lane; `project_changed` or `open_failed` follows."""
        again = self.project is not None and self.project.read_only and not read_only
        self._open_with(path, self.backend.open_project, path, read_only, again=again)

    def create(self, path: Path, intake: tuple[IntakeWish, ...] = ()) -> None:
        """Make a new project and take in what is wished for."""
        self._open_with(path, self.backend.create_project, path, then=intake)

    def open_sample(self, path: Path) -> None:
        """Open the sample project at `path`, fill it if need be and run its audits."""
        self._open_with(path, self.backend.open_sample, path, sample=True)

    def salvage(self, damaged: Path, into: Path) -> None:
        """Save what can be read of a damaged project into a new file, then open that."""
        self._open_with(into, _salvage_and_open, self.backend, damaged, into)

    def _open_with(
        self,
        path: Path,
        function: Callable[..., Project],
        *arguments: Any,
        then: tuple[IntakeWish, ...] = (),
        sample: bool = False,
        again: bool = False,
    ) -> None:
        """`again`: also a project that is open already, to write to it."""
        if self.project is not None and _same_file(self.project.path, path) and not again:
            return
        self._opening = path
        answer = partial(self._on_opened, then, sample)
        self.loader.load(_OPEN, function, *arguments, then=answer)

    def _on_opened(self, intake: tuple[IntakeWish, ...], sample: bool, project: Project) -> None:
        self._opening = None
        self.close_project()
        self.project = project
        self.undo.set_project(project)
        self.thumbnails.set_project(project)
        self.focus.set_project(project)
        self.slices.set_project(project)
        self.session.update({"project": str(project.path)}, self)
        self.project_changed.emit(project)
        self.refresh_index()
        for wish in intake:
            wish(self)
        if sample and not project.read_only:
            work = partial(self.backend.fill_sample, project)
            self._sample_job = self.jobs.submit_progress("sample project", work, "project")

    def close_project(self) -> None:
        """Close the open project. Jobs must have ended: see `when_idle`."""
        if self.project is not None:
            self.project_closing.emit()
        self.loader.forget_all()
        self.drawer.forget_all()
        self._coalesce.stop()
        self._dirty_runs.clear()
        self._followed.clear()
        project, self.project = self.project, None
        if project is None:
            return
        self.undo.set_project(None)
        self.index = None
        self.thumbnails.set_project(None)
        self.focus.set_project(None)
        self.slices.set_project(None)
        self.focus.set_index(None)
        self.slices.set_index(None)
        self.session.update({"project": None}, self)
        self.index_changed.emit(None)
        self.project_changed.emit(None)
        self._close_file(project)

    def _close_file(self, project: Project) -> None:
        try:
            project.close()
        except Exception as error:  # the window must close whatever the disk says
            self.problem_found.emit(problem_of(error), "closing the project")

    @property
    def writable(self) -> bool:
        return self.project is not None and not self.project.read_only

    # -- what the project holds ----------------------------------------------------------------
    @Slot()
    def refresh_index(self) -> None:
        """Read the project's lists again."""
        if self.project is not None:
            self.loader.load(_INDEX, read_index, self.project, then=self._on_index)

    def _on_index(self, index: ProjectIndex) -> None:
        self.index = index
        self.focus.set_index(index)
        self.slices.set_index(index)
        renamed, self._renamed = self._renamed, {}
        if self.session.snapshot.project != str(index.path):  # saved under another name
            renamed = {**vars(self.session.snapshot), **renamed, "project": str(index.path)}
        self.session.update(renamed, self)
        self.index_changed.emit(index)
        for run in index.runs:
            self.jobs.set_run_title(run.id, run.name)
        changes = run_choice.changes_for(self.session.snapshot, index, self._followed)
        self.session.update(changes, self)
        self._load_classes()

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], _initiator: object) -> None:
        if changes & {"run_concepts", "project"}:
            self.points = None
            self._load_classes()

    def _load_classes(self) -> None:
        run = self.session.snapshot.run_concepts
        if run is None or self.project is None:
            self.loader.forget("classes")
            self._show_classes(())
            return
        self.loader.load(
            "classes", self.backend.run_classes, self.project, run, then=self._show_classes
        )

    def _show_classes(self, names: tuple[str, ...]) -> None:
        self.classes = tuple(names)
        self.classes_changed.emit(self.classes)

    def run(self, number: int | None) -> RunEntry | None:
        """The entry of a run."""
        return self.index.run(number) if self.index is not None else None

    # -- choosing ------------------------------------------------------------------------------
    def set_pair(self, model_a: str | None, model_b: str | None, initiator: object) -> None:
        """Show another pair of models, with its newest runs."""
        if self.index is not None:
            self.session.update(run_choice.for_pair(self.index, model_a, model_b), initiator)

    def show_model(self, side: str, name: str, initiator: object) -> None:
        """Show a model as A or B beside the other one of the pair."""
        now = self.session.snapshot
        model_a, model_b = (name, now.model_b) if side == "a" else (now.model_a, name)
        self.set_pair(model_a, model_b, initiator)

    def select_models(self, names: Sequence[str], initiator: object) -> None:
        """Select models everywhere; those that the project does not have are left out."""
        known = (name for name in names if self.index is None or self.index.model(name))
        self.session.update({"models": tuple(dict.fromkeys(known))}, initiator)

    def swap(self, initiator: object) -> None:
        """Exchange A and B; the same runs are shown from the other side."""
        now = self.session.snapshot
        self.session.update(
            {
                "model_a": now.model_b,
                "model_b": now.model_a,
                "layer_a": now.layer_b,
                "layer_b": now.layer_a,
            },
            initiator,
        )

    def set_layers(self, layer_a: str | None, layer_b: str | None, initiator: object) -> None:
        """Show the concepts of another pair of layers, if they have been compared."""
        if self.index is not None:
            changes = run_choice.for_layers(self.session.snapshot, self.index, layer_a, layer_b)
            self.session.update(changes, initiator)

    def show_run(self, number: int, initiator: object) -> None:
        """Show one run's results."""
        run = self.run(number)
        if run is not None:
            self.session.update(run_choice.for_run(self.session.snapshot, run), initiator)

    # -- jobs ----------------------------------------------------------------------------------
    def add_images(self, name: str, source: Path) -> int:
        """Queue the scan of an image folder or list; returns the job's id."""
        work = partial(self.backend.add_images, self._require_project(), name, source)
        return self.jobs.submit_progress(f"images “{name}”", work, "images")

    def add_model(self, name: str, specification: str, preprocessing: str | None = None) -> int:
        """Queue the loading of a model; returns the job's id."""
        work = partial(
            _add_model, self.backend, self._require_project(), name, specification, preprocessing
        )
        return self.jobs.submit_progress(f"model “{name}”", work, "model")

    def keep_quiet(self, job: int) -> None:
        """Whoever started this job shows its problem; `problem_found` stays silent."""
        self._quiet_jobs.add(job)

    def start_audit(
        self,
        audit: str,
        models: Sequence[str],
        parameters: Any,
        image_set: int | None,
        device: str,
    ) -> None:
        """Make a run and start it."""
        arguments = (
            self._require_project(), audit, tuple(models), parameters, image_set, device,
        )  # fmt: skip
        self.loader.load(
            f"plan {audit}", self.backend.create_run, *arguments, then=self._on_planned
        )

    def _on_planned(self, number: int) -> None:
        self.start_run(number)

    def start_run(self, number: int) -> int | None:
        """Run or resume a run of the project; returns the job's id."""
        if self.project is None or self.project.read_only:
            return None
        run = self.run(number)
        title = run.name if run is not None else f"run {number}"
        self._followed.add(number)  # shown as soon as it has results
        job = self.jobs.start_run(self.backend, self.project, number, title)
        self.refresh_index()
        return job

    def follow(self, number: int) -> None:
        """Show a run that has come into the project otherwise than by running it."""
        self._followed.add(number)
        self.refresh_index()

    def resume_all(self) -> None:
        """Start every unfinished run, the oldest first."""
        for run in self.index.runs if self.index is not None else ():
            if run.resumable:
                self.start_run(run.id)

    def edit(self, name: str, *arguments: Any) -> None:
        """Do one of `project_edits` in the store lane, then list the project again."""
        function = getattr(project_edits, name)
        self.loader.load(
            f"edit {name}", function, self._require_project(), *arguments, then=self._on_edited
        )

    def rename_model(self, old: str, new: str) -> None:
        """Give a model another name and go on looking at it."""
        self.undo.do("rename model", partial(reversible.rename_model, old, new))

    def _follow_name(self, old: str, new: str) -> None:
        now = self.session.snapshot
        for side in ("model_a", "model_b"):
            if getattr(now, side) == old:
                self._renamed[side] = new
        if old in now.models:
            self._renamed["models"] = tuple(new if name == old else name for name in now.models)

    @Slot(object)
    def _on_edit_done(self, edited: Edited) -> None:
        if edited.renamed is not None:
            self._follow_name(*edited.renamed)
        self.refresh_index()

    def _on_edited(self, _answer: object) -> None:
        self.refresh_index()

    def _require_project(self) -> Project:
        if self.project is None:
            raise RuntimeError("No project is open.")
        return self.project

    @Slot(int, str)
    def _on_unit(self, run: int, _key: str) -> None:
        self._dirty_runs.add(run)
        if not self._coalesce.isActive():
            self._coalesce.start()

    @Slot(int)
    def _on_job_ended(self, number: int) -> None:
        record = self.jobs.record(number)
        if record is None:
            return
        if record.run is not None:
            self._dirty_runs.add(record.run)
        if record.problem is not None and number not in self._quiet_jobs:
            self.problem_found.emit(record.problem, record.title)
        if number == self._sample_job:
            self._sample_job = None
            for run in record.result or ():
                self.start_run(run)
        self._coalesce.start()

    @Slot()
    def _publish_results(self) -> None:
        runs, self._dirty_runs = frozenset(self._dirty_runs), set()
        self.refresh_index()
        if runs:
            self.results_changed.emit(runs)
            self.focus.reload_if(runs)

    @Slot(str, object)
    def _on_load_failed(self, name: str, problem: Problem) -> None:
        if name == _OPEN:
            path, self._opening = self._opening, None
            self.open_failed.emit(problem, path)
        elif name.startswith(("edit ", "plan ")) or name == _INDEX:
            self.problem_found.emit(problem, name.removeprefix("edit ").replace("_", " "))

    # -- ending --------------------------------------------------------------------------------
    def when_idle(self, function: Callable[[], None]) -> None:
        """Call `function` once no job runs: at once, or when the last one has stopped."""
        if not self.jobs.busy:
            function()
        else:
            self._when_idle = function

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        if not busy and self._when_idle is not None:
            function, self._when_idle = self._when_idle, None
            function()

    @property
    def running(self) -> bool:
        """Whether a thread of ours still runs."""
        return any(lane.thread_running for lane in self._lanes())

    def shut_down(self) -> None:
        """Ask everything to end; `lanes_closed` follows, at once where nothing was running."""
        self._coalesce.stop()
        self.loader.forget_all()
        self.drawer.forget_all()
        idle = not any(lane.busy for lane in self._lanes())
        for lane in self._lanes():
            lane.close()
        if idle:
            for lane in self._lanes():
                lane.wait()
            self._collector.stop()

    def _lanes(self) -> tuple[Lane, ...]:
        return self.compute, self.store, self.pictures, self.explanations, self.drawing

    @Slot()
    def _on_lane_closed(self) -> None:
        if not self.running:
            self._collector.stop()
            self.lanes_closed.emit()


IntakeWish = Callable[[Workspace], Any]


def images_wish(name: str, source: Path) -> IntakeWish:
    """A wish to take in images once a project is open."""
    return partial(_wish_images, name, source)


def model_wish(name: str, specification: str) -> IntakeWish:
    """A wish to take in a model once a project is open."""
    return partial(_wish_model, name, specification)


def _wish_images(name: str, source: Path, workspace: Workspace) -> None:
    workspace.add_images(name, source)


def _wish_model(name: str, specification: str, workspace: Workspace) -> None:
    workspace.add_model(name, specification)


def _add_model(
    backend: Backend,
    project: Project,
    name: str,
    specification: str,
    preprocessing: str | None,
    progress: Progress,
) -> str:
    backend.add_model(project, name, specification, progress, preprocessing)
    return name


def _same_file(one: Path, other: Path) -> bool:
    return Path(one).absolute() == Path(other).absolute()


def _salvage_and_open(backend: Backend, damaged: Path, into: Path) -> Project:
    backend.salvage(damaged, into)
    return backend.open_project(into, False)
