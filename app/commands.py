"""What the window does when an action, a menu entry or an empty state asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from app.actions import plain_text
from app.concept_commands import ConceptCommands
from app.dialogs.export_dialog import ExportDialog, ExportWish
from app.dialogs.images_dialog import ImagesDialog
from app.dialogs.model_dialog import ModelDialog
from app.dialogs.project_dialog import PROJECT_FILTER, PROJECT_SUFFIX, ProjectDialog
from app.dialogs.prompts import Question
from app.dialogs.run_dialog import RunDialog
from app.finding_commands import FindingCommands
from app.model_commands import ModelCommands
from app.perspectives import PERSPECTIVES, perspective_of
from app.picture_commands import PictureCommands
from app.planting_commands import PlantingCommands
from app.problems import Problem, problem_of, show_problem
from app.relocation_commands import RelocationCommands
from app.report_commands import ReportCommands
from app.run_note import RunNotes
from app.slice_commands import SliceCommands
from app.view_commands import ViewCommands

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Commands(QObject):
    """The actions of the registry, by id; those on one entry are in `EntryCommands`."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._workspace = window.workspace
        self._actions: dict[str, Callable[[], Any]] = {
            "new": self.new_project,
            "open": partial(self._choose_project, False),
            "open-read-only": partial(self._choose_project, True),
            "sample": self.open_sample,
            "add-images": self.add_images,
            "add-model": self.add_model,
            "save-as": partial(self._choose_target, "save_as"),
            "save-copy": partial(self._choose_target, "save_copy"),
            "export-figure": partial(self.export, "figure"),
            "export-table": partial(self.export, "table"),
            "close": self.close_project,
            "quit": window.close,
            "run-audit": self.run_audit,
            "resume": self._workspace.resume_all,
            "cancel": self.cancel_current,
            "back": window.go_back,
            "swap": partial(self._workspace.swap, self),
        }
        self.models = ModelCommands(window, self)
        self.pictures = PictureCommands(window, self)
        self.concepts = ConceptCommands(window, self)
        self.slices = SliceCommands(window, self)
        self.run_notes = RunNotes(window)
        self.findings = FindingCommands(window, self)
        self.reports = ReportCommands(window, self)
        self.view = ViewCommands(window, self)
        self.relocation = RelocationCommands(window, self)
        self.planting = PlantingCommands(window, self)
        for part in (
            self.models,
            self.pictures,
            self.concepts,
            self.reports,
            self.slices,
            self.findings,
            self.view,
            self.relocation,
            self.planting,
        ):
            self._actions.update(part.actions)
        for perspective in window.presenters:
            self._actions[f"go-{perspective}"] = partial(window.show_perspective, perspective)
        self._workspace.problem_found.connect(self._on_problem)
        self._workspace.open_failed.connect(self._on_open_failed)

    @Slot(str)
    def do(self, action: str) -> None:
        """Do the action called `action` if it is possible now; else say what it needs."""
        registry = self._window.actions_registry
        definition = registry.definition(action)
        if registry[action].isEnabled():
            self._actions[action]()
        elif definition.needs:
            what = plain_text(definition.text)
            problem = Problem(f"“{what}” is not possible yet.", definition.needs)
            show_problem(self._window, problem)

    def show(self, dialog: QDialog) -> None:
        """Show a dialog without blocking."""
        dialog.open()

    # -- projects ------------------------------------------------------------------------------
    def new_project(self) -> None:
        dialog = ProjectDialog(self._workspace, _documents(), self._window)
        dialog.wished.connect(self._on_new_wished)
        self.show(dialog)

    @Slot(object, object)
    def _on_new_wished(self, path: Path, intake: Any) -> None:
        sender = self.sender()
        if isinstance(sender, ProjectDialog):
            sender.wait_for(self._workspace)
        self.when_stopped("Cancel and go on", partial(self._workspace.create, path, intake))

    def _choose_project(self, read_only: bool) -> None:
        dialog = self.file_dialog("Open a project", PROJECT_FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        slot = self.open_path_read_only if read_only else self.open_path
        dialog.fileSelected.connect(slot)
        dialog.open()

    @Slot(str)
    def open_path(self, path: str) -> None:
        """Open a project file."""
        self.when_stopped("Cancel and open", partial(self._workspace.open, Path(path)))

    @Slot(str)
    def open_path_read_only(self, path: str) -> None:
        """Open a project file without a lock and without changing it."""
        self.when_stopped("Cancel and open", partial(self._workspace.open, Path(path), True))

    def open_sample(self, path: Path | None = None) -> None:
        """Open the sample project, in the documents folder if no path is given."""
        target = path or sample_path()
        self.when_stopped("Cancel and open", partial(self._workspace.open_sample, target))

    def _choose_target(self, edit: str) -> None:
        dialog = self.file_dialog("Save the project", PROJECT_FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(PROJECT_SUFFIX.lstrip("."))
        dialog.setProperty("edit", edit)
        dialog.fileSelected.connect(self._on_target)
        dialog.open()

    @Slot(str)
    def _on_target(self, path: str) -> None:
        sender = self.sender()
        edit = sender.property("edit") if sender is not None else "save_copy"
        self._workspace.edit(edit, Path(path))

    def close_project(self) -> None:
        self.when_stopped("Cancel and close", self._workspace.close_project)

    def when_stopped(self, go_on: str, function: Callable[[], Any]) -> None:
        """Call `function`, after asking if a job would have to be cancelled for it."""
        if self._workspace.jobs.busy:
            self.ask_to_stop(go_on, function)
        else:
            function()

    def ask_to_stop(self, go_on: str, function: Callable[[], Any]) -> None:
        """Ask whether to cancel the jobs; then call `function` when they have stopped."""
        record = self._workspace.jobs.current()
        what = f"“{record.title}” is still running." if record is not None else "A job is running."
        question = Question(
            what,
            "What is finished is kept; the run can be resumed later.",
            go_on,
            "Keep running",
            function,
            self._window,
        )
        question.confirmed.connect(self._stop_then)
        question.open()

    @Slot(object)
    def _stop_then(self, function: Callable[[], Any]) -> None:
        self._workspace.jobs.cancel_all()
        self._workspace.when_idle(function)

    # -- images, models, runs ------------------------------------------------------------------
    def add_images(self, source: str = "") -> None:
        """Open the dialog for an image set, if a project can take one."""
        if self.require_writable():
            self.show(ImagesDialog(self._workspace, source, self._window))

    def add_model(self, weights: str = "") -> None:
        """Open the dialog for a model, if a project can take one."""
        if self.require_writable():
            self.show(ModelDialog(self._workspace, weights, self._window))

    def run_audit(
        self,
        audit: str | None = None,
        values: dict[str, Any] | None = None,
        models: Sequence[str] = (),
    ) -> None:
        """Open the dialog that plans a run."""
        if audit is None:
            audits = {p.id: p.audits for p in PERSPECTIVES}[self._window.perspective]
            audit = audits[0] if audits else "concepts"
        self.show(RunDialog(self._workspace, audit, values, self._window, models))

    @Slot(str, str)
    def open_layer_pair(self, layer_a: str, layer_b: str) -> None:
        """Show the concepts of a pair of layers, or plan the run that compares them."""
        if self._workspace.session.snapshot.run_concepts is not None:
            self._window.show_perspective("concepts")
        elif self._window.actions_registry["run-audit"].isEnabled():
            self.run_audit("concepts", {"layer_a": layer_a, "layer_b": layer_b})

    def cancel_current(self) -> None:
        record = self._workspace.jobs.current()
        if record is not None:
            self._workspace.jobs.cancel(record.id)

    @Slot(int)
    def retry(self, number: int) -> None:
        self._workspace.jobs.retry(number)

    def show_run(self, number: int) -> None:
        """Show a run's results in their perspective."""
        run = self._workspace.run(number)
        if run is not None:
            self._workspace.show_run(number, self)
            perspective = perspective_of(run.audit)
            if perspective is not None:
                self._window.presenters[perspective].show_results()
                self._window.show_perspective(perspective)

    @Slot(int)
    def open_image(self, image: int) -> None:
        """Show an image in the large view of the concepts or the units."""
        name = "units" if self._window.perspective == "units" else "concepts"
        patch = self._workspace.focus.patch_id()
        self._window.presenters[name].view.open_large_view(  # type: ignore[attr-defined]
            patch if patch is not None else -1, image
        )

    # -- export --------------------------------------------------------------------------------
    def export(self, kind: str, wish: ExportWish | None = None, run: int | None = None) -> None:
        """Open the dialog that writes a figure or a table."""
        presenter = self._window.presenters[self._window.perspective]
        if kind == "figure" and wish is None:
            wish = self.pictures.export_wish()
            figure = presenter.main_figure
            if wish is None and figure and presenter.built and presenter.shown_runs():
                wish = ExportWish(figure, "", presenter.export_parameters(figure))
                run = presenter.export_run(figure)
        if run is None:
            run = next(iter(presenter.shown_runs()), None)
        dialog = ExportDialog(self._workspace, kind, run, wish, self._window)
        dialog.exported.connect(self._on_exported)
        self.show(dialog)

    @Slot(str, str, object, object)
    def export_view(self, figure: str, form: str, run: int | None, parameters: Any) -> None:
        """Export what a view shows, as it is shown."""
        self.export("figure", ExportWish(figure, form, parameters), run)

    @Slot(object)
    def _on_exported(self, path: Path) -> None:
        self._window.status_line.set_message(f"Written: {path}")

    # -- problems ------------------------------------------------------------------------------
    @Slot(object, str)
    def _on_problem(self, problem: Problem, _what: str) -> None:
        show_problem(self._window, problem)

    def say(self, problem: Problem) -> None:
        """Show a problem without blocking."""
        show_problem(self._window, problem)

    def report(self, error: BaseException) -> None:
        """An error nobody has caught: shown, and written to the log."""
        show_problem(self._window, problem_of(error))

    @Slot(int)
    def show_job_problem(self, number: int) -> None:
        record = self._workspace.jobs.record(number)
        if record is not None and record.problem is not None:
            show_problem(self._window, record.problem)

    @Slot(object, object)
    def _on_open_failed(self, problem: Problem, path: Path) -> None:
        if problem.kind == "ProjectInUseError":
            self._offer(problem, "Open read-only", "open_read_only", path)
        elif problem.kind == "DamagedProjectError":
            self._offer(problem, "Save what can be read…", "salvage", path)
        else:
            show_problem(self._window, problem)

    def _offer(self, problem: Problem, go_on: str, what: str, path: Path) -> None:
        question = Question(
            problem.summary, problem.hint, go_on, "Cancel", (what, path), self._window
        )
        question.confirmed.connect(self._on_offer)
        question.open()

    @Slot(object)
    def _on_offer(self, wish: tuple[str, Path]) -> None:
        what, path = wish
        if what == "open_read_only":
            self._workspace.open(path, True)
        else:
            target = _free_name(path.with_name(f"{path.stem} (saved){PROJECT_SUFFIX}"))
            self._workspace.salvage(path, target)

    # -- helpers -------------------------------------------------------------------------------
    def require_writable(self) -> bool:
        if self._workspace.project is None:
            self.new_project()
            return False
        if not self._workspace.writable:
            show_problem(
                self._window,
                Problem(
                    "This project is open read-only.",
                    "Open it again to write to it, or save it under another name.",
                ),
            )
            return False
        return True

    def file_dialog(self, title: str, filters: str) -> QFileDialog:
        front = QApplication.activeWindow()  # a dialog that asks stays behind its question
        dialog = QFileDialog(front if isinstance(front, QDialog) else self._window, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if filters:
            dialog.setNameFilter(filters)
        project = self._workspace.project
        dialog.setDirectory(str(Path(project.path).parent if project is not None else _documents()))
        return dialog


def _documents() -> Path:
    folder = Path(platformdirs.user_documents_dir())
    return folder if folder.is_dir() else Path.home()


def sample_path() -> Path:
    """Where the sample project lies if nothing else is said; made if its folder is missing."""
    from analysis.cli import default_sample_path

    path = default_sample_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _free_name(path: Path) -> Path:
    number, candidate = 2, path
    while candidate.exists():
        candidate = path.with_name(f"{path.stem} {number}{path.suffix}")
        number += 1
    return candidate
