"""What the window does with one picture: where do the models look in it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project
from app.backend import Backend
from app.dialogs.export_dialog import ExportWish
from app.lanes import JobState
from app.perspectives.saliency import SaliencyPresenter
from app.problems import Problem, show_problem

if TYPE_CHECKING:
    from analysis.figures.saliency_data import Explanation
    from app.commands import Commands
    from app.main_window import MainWindow

_CHECK = "check a picture"
_FIND = "find maps of an image"
_KIND = "picture"
_OF_RUNS = {"units": "run_dissection", "embedding": "run_embedding", "saliency": "run_saliency"}

_Wish = tuple[Path | int, tuple[str, ...]]


class PictureCommands(QObject):
    """Explains pictures from outside of the project, and shows the maps of its images."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self._wishes: dict[int, _Wish] = {}  # of the jobs under way
        self.actions: Mapping[str, Callable[[], Any]] = {
            "explain-picture": self.choose_picture,
            "explain-image": self.explain_image,
            "show-saliency": self.show_image_in_focus,
        }
        self._workspace.loader.failed.connect(self._on_failed)
        self._workspace.jobs.ended.connect(self._on_ended)

    @property
    def _presenter(self) -> SaliencyPresenter:
        return cast(SaliencyPresenter, self._window.presenters["saliency"])

    # -- pictures from outside -----------------------------------------------------------------
    def choose_picture(self) -> None:
        """Ask for a file, and explain it."""
        suffixes = " ".join(f"*{suffix}" for suffix in self._workspace.backend.picture_suffixes())
        dialog = self._commands.file_dialog("Explain a picture", f"Pictures ({suffixes})")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.explain_file)
        dialog.open()

    @Slot(str)
    def explain_file(self, path: str) -> None:
        """Explain a file by all methods of all models, if it is a picture."""
        if not self._window.actions_registry["explain-picture"].isEnabled():
            self._say(
                f"“{Path(path).name}” needs models that look at it.",
                "Open a project that has models, or the sample project, and drop it again.",
            )
            return
        check = self._workspace.backend.check_picture
        then = partial(self._on_checked, Path(path))
        self._workspace.loader.load(_CHECK, check, Path(path), then=then)

    def _on_checked(self, path: Path, _answer: object) -> None:
        self.explain(path)

    # -- images of the project -----------------------------------------------------------------
    def explain_image(self) -> None:
        """Explain the image in focus by all methods of all models."""
        image = self._workspace.session.snapshot.image
        if image is not None:
            self.explain(image)

    def show_image_in_focus(self) -> None:
        """Show the maps of the image in focus."""
        image = self._workspace.session.snapshot.image
        if image is not None:
            self.show_image(image)

    @Slot(int)
    def show_image(self, image: int) -> None:
        """Show where the models in question look in an image: in the newest run that knows, else
        by explaining it now."""
        models, project = self.models_in_question(), self._workspace.project
        if project is None:
            return
        if not models:
            self._say("There is no model that could look at the image.", "Add a model first.")
            return
        find = self._workspace.backend.find_saliency
        then = partial(self._on_found, image, models)
        self._workspace.loader.load(_FIND, find, project, image, models, then=then)

    def _on_found(self, image: int, models: tuple[str, ...], run: int | None) -> None:
        if run is None:
            self.explain(image, models)
            return
        self._workspace.select_models(models, self)
        changes = {"run_saliency": run, "image": image, "patch": None}
        self._workspace.session.update(changes, self)
        self._presenter.show_image(image)
        self._window.show_perspective("saliency")

    def models_in_question(self) -> tuple[str, ...]:
        """The models that one is looking at: those selected or of the run, or the active pair."""
        index, now = self._workspace.index, self._workspace.session.snapshot
        if index is None:
            return ()
        field = _OF_RUNS.get(self._window.perspective)
        if field is None:
            names: Sequence[str | None] = (now.model_a, now.model_b)
        else:
            run = index.run(getattr(now, field))
            names = now.models or (run.models if run is not None else ())
        networks = [model.name for model in index.networks]
        return tuple(dict.fromkeys(n for n in names if n in networks)) or tuple(networks)

    # -- figures -------------------------------------------------------------------------------
    @property
    def in_front(self) -> bool:
        """Whether an explained picture is on the screen."""
        return self._window.perspective == "saliency" and self._presenter.explanation is not None

    def export_wish(self) -> ExportWish | None:
        """The figure of the picture in front; None where there is none."""
        if not self.in_front:
            return None
        figure = "explained"
        parameters = self._presenter.export_parameters(figure)
        return ExportWish(figure, "", parameters, self._presenter.explanation)

    @Slot(str, str, object, object)
    def export_view(
        self, figure: str, form: str, explanation: Explanation, parameters: Any
    ) -> None:
        """Export what is shown of an explained picture, as it is shown."""
        self._commands.export("figure", ExportWish(figure, form, parameters, explanation))

    # -- explaining ----------------------------------------------------------------------------
    def explain(self, source: Path | int, models: tuple[str, ...] = ()) -> None:
        """Queue the explanation of a picture or of an image of the project, and go there."""
        workspace = self._workspace
        if workspace.project is None:
            return
        wish, name = (source, models), self._name(source)
        if wish not in self._wishes.values():
            work = partial(_explain, workspace.backend, workspace.project, name, source, models)
            job = workspace.jobs.submit_progress(f"explanation of “{name}”", work, _KIND)
            self._wishes[job] = wish
        self._presenter.set_explaining(f"“{name}” is being explained.")
        self._window.show_perspective("saliency")

    def _name(self, source: Path | int) -> str:
        path = source if isinstance(source, Path) else self._workspace.thumbnails.path(source)
        return path.name if path is not None else f"image {source}"

    @Slot(int)
    def _on_ended(self, number: int) -> None:
        record = self._workspace.jobs.record(number)
        if record is None or record.kind != _KIND:
            return
        self._wishes.pop(number, None)
        presenter = self._presenter
        if not self._wishes:
            presenter.set_explaining("")
        if record.state == JobState.DONE and record.result is not None:
            explanation, record.result = record.result, None  # the view keeps it
            presenter.show_explanation(explanation)
            if self._window.perspective != "saliency":
                text = f"“{explanation.name}” is explained: see Saliency."
                self._window.status_line.set_message(text)

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name in (_CHECK, _FIND):
            show_problem(self._window, problem)

    def _say(self, summary: str, hint: str) -> None:
        show_problem(self._window, Problem(summary, hint))


def _explain(
    backend: Backend,
    project: Project,
    name: str,
    source: Path | int,
    models: tuple[str, ...],
    progress: Progress,
) -> Any:
    try:
        return backend.explain_picture(project, source, models, progress)
    except AuditError as error:
        if name in error.summary:
            raise
        summary = f"“{name}” cannot be explained. {error.summary}"
        raise AuditError(summary, error.hint) from error.__cause__
