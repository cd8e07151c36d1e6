"""What the window does about images and models that have been moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from app.dialogs.places_dialog import PlacesDialog
from app.lanes import JobState
from app.problems import Problem, show_problem

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

JOB_KIND = "search"
_PLACES = "look where images and models lie"
_QUESTIONS = {
    "images": "Where are the images of “{}” now?",
    "labels": "Where are the label planes “{}” now?",
    "concept": "Where are the pictures of “{}” now?",
    "model": "In which folder are the weights of “{}” now?",
}


class RelocationCommands(QObject):
    """Shows what is not where it was, and looks for it as a job."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self._dialog: PlacesDialog | None = None
        self.actions: Mapping[str, Callable[[], Any]] = {"relocate": self.show_places}
        self.intents: Mapping[str, Callable[[Any], Any]] = {
            "relocate-image-set": partial(self._ask_for, "images"),
            "relocate-label-planes": partial(self._ask_for, "labels"),
            "relocate-model": self._ask_for_model,
        }
        self._workspace.project_changed.connect(self._on_project)
        self._workspace.jobs.ended.connect(self._on_ended)
        self._workspace.loader.failed.connect(self._on_failed)

    def show_places(self) -> None:
        """List where images, label planes, concepts and weights lie."""
        if self._dialog is None:
            self._dialog = PlacesDialog(self._workspace.writable, self._window)
            self._dialog.find_wished.connect(self._ask_for)
            self._dialog.destroyed.connect(self._on_dialog_gone)
            self._commands.show(self._dialog)
        self._dialog.raise_()
        self._look()

    @Slot()
    def _on_dialog_gone(self) -> None:
        self._dialog = None

    def _look(self) -> None:
        project = self._workspace.project
        if project is not None:
            read = self._workspace.backend.places
            self._workspace.loader.load(_PLACES, read, project, then=self._show)

    def _show(self, places: tuple[Any, ...]) -> None:
        gone = frozenset((place.kind, place.id) for place in places if not place.complete)
        self._window.navigator.set_away(gone)
        if self._dialog is not None:
            self._dialog.show_places(places)

    @Slot(object)
    def _on_project(self, project: object) -> None:
        self._window.navigator.set_away(frozenset())
        if self._dialog is not None:
            self._dialog.close()
        if project is not None:
            self._look()

    # -- looking for one -----------------------------------------------------------------------
    @Slot(str, int)
    def _ask_for(self, kind: str, number: int) -> None:
        if not self._commands.require_writable():
            return
        name = self._name(kind, number)
        dialog = self._commands.file_dialog(_QUESTIONS[kind].format(name), "")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setProperty("wanted", (kind, number, name))
        dialog.fileSelected.connect(self._on_folder)
        dialog.open()

    def _ask_for_model(self, name: str) -> None:
        model = self._workspace.index.model(name) if self._workspace.index is not None else None
        if model is not None:
            self._ask_for("model", model.id)

    def _name(self, kind: str, number: int) -> str:
        index = self._workspace.index
        if index is None:
            return ""
        entries: dict[str, tuple[Any, ...]] = {
            "images": index.image_sets,
            "labels": index.labels,
            "concept": index.concept_sets,
            "model": index.models,
        }
        return next((entry.name for entry in entries[kind] if entry.id == number), "")

    @Slot(str)
    def _on_folder(self, folder: str) -> None:
        sender = self.sender()
        if sender is not None:
            kind, number, name = sender.property("wanted")
            self.find(kind, number, name, Path(folder))

    def find(self, kind: str, number: int, name: str, folder: Path) -> int | None:
        """Look for what has moved, as a job; returns the job's id."""
        project = self._workspace.project
        if project is None:
            return None
        work = partial(self._workspace.backend.relocate, project, kind, number, folder)
        job = self._workspace.jobs.submit_progress(f"looking for “{name}”", work, JOB_KIND)
        if self._dialog is not None:
            self._workspace.keep_quiet(job)  # the dialog says itself what went wrong
            self._dialog.say(f"Looking for “{name}” in {folder} …")
        return job

    @Slot(int)
    def _on_ended(self, number: int) -> None:
        record = self._workspace.jobs.record(number)
        if record is None or record.kind != JOB_KIND:
            return
        if record.state is JobState.DONE:
            sentence = record.result.sentence()
            record.write(sentence)
            self._window.status_line.set_message(sentence)
            self._workspace.thumbnails.look_again()
            self._workspace.focus.reload_image()
            self._look()
        elif record.problem is not None:
            sentence = record.problem.text
        else:
            sentence = "Stopped; nothing was changed."
        if self._dialog is not None:
            self._dialog.say(sentence)

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _PLACES and self._dialog is not None:
            show_problem(self._window, problem)
