"""What the navigator's menus do to one model, run or image set."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from app import reversible
from app.dialogs.details import (
    DetailsDialog,
    image_set_text,
    label_planes_text,
    model_text,
    run_text,
)
from app.dialogs.prompts import NameDialog, Question
from app.project_index import read_json, read_problems, read_rejected_images

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow


class EntryCommands(QObject):
    """Intents of the navigator by their id; other intents are actions of the window."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self._intents: dict[str, Callable[[Any], Any]] = {
            "show-as-a": partial(self._show_model, "a"),
            "show-as-b": partial(self._show_model, "b"),
            "model-details": self._model_details,
            "rename-model": self._rename_model,
            "remove-model": partial(self._ask_to_remove, "model"),
            "image-set-details": self._image_set_details,
            "remove-image-set": partial(self._ask_to_remove, "image set"),
            "label-planes-details": self._label_planes_details,
            "remove-label-planes": partial(self._ask_to_remove, "label planes"),
            "show-run": self._commands.show_run,
            "resume-run": self._workspace.start_run,
            "cancel-run": self._cancel_run,
            "repeat-run": self._repeat_run,
            "run-details": self._run_details,
            "rename-run": self._rename_run,
            "remove-run": partial(self._ask_to_remove, "run"),
            **commands.slices.intents,
            **self._commands.relocation.intents,
        }

    @Slot(str, str, object)
    def do(self, intent: str, _kind: str, number: object) -> None:
        """Do what a context menu asks for, on one entry."""
        if intent in self._intents:
            self._intents[intent](number)
        else:
            self._commands.do(intent)

    def intents(self) -> frozenset[str]:
        """The ids of all intents that are done here."""
        return frozenset(self._intents)

    # -- renaming, removing, details -----------------------------------------------------------
    def _rename_model(self, name: str) -> None:
        index = self._workspace.index
        taken = frozenset(m.name for m in index.models) if index is not None else frozenset()
        dialog = NameDialog("Rename the model", name, taken, name, self._window)
        dialog.chosen.connect(self._on_model_renamed)
        self._commands.show(dialog)

    @Slot(object, str)
    def _on_model_renamed(self, old: str, new: str) -> None:
        self._workspace.rename_model(old, new)

    def _rename_run(self, number: int) -> None:
        run = self._workspace.run(number)
        if run is not None:
            dialog = NameDialog("Rename the run", run.name, frozenset(), number, self._window)
            dialog.chosen.connect(self._on_run_renamed)
            self._commands.show(dialog)

    @Slot(object, str)
    def _on_run_renamed(self, number: int, name: str) -> None:
        self._workspace.undo.do("rename run", partial(reversible.rename_run, number, name))

    def _ask_to_remove(self, kind: str, key: Any) -> None:
        hints = {
            "model": "The weights stay where they are.",
            "image set": "The images stay where they are.",
            "label planes": "The files stay where they are, and so do the results of runs.",
            "run": "Its results are deleted; they can only be had again by running it anew.",
        }
        question = Question(
            f"Remove {'these' if kind.endswith('s') else 'this'} {kind} from the project?",
            hints[kind],
            "Remove",
            "Keep",
            (f"remove_{kind.replace(' ', '_')}", key),
            self._window,
        )
        question.confirmed.connect(self._on_remove)
        question.open()

    @Slot(object)
    def _on_remove(self, wish: tuple[str, Any]) -> None:
        self._workspace.edit(*wish)

    def _model_details(self, name: str) -> None:
        model = self._workspace.index.model(name) if self._workspace.index is not None else None
        if model is not None:
            self._commands.show(DetailsDialog(model.name, model_text(model), self._window))

    def _run_details(self, number: int) -> None:
        run, project = self._workspace.run(number), self._workspace.project
        if run is not None and project is not None:
            then = partial(self._show_details, run.name, partial(run_text, run))
            self._workspace.loader.load("details", read_problems, project, number, then=then)

    def _image_set_details(self, number: int) -> None:
        index, project = self._workspace.index, self._workspace.project
        entries = index.image_sets if index is not None else ()
        entry = next((e for e in entries if e.id == number), None)
        if entry is not None and project is not None:
            then = partial(self._show_details, entry.name, partial(image_set_text, entry))
            self._workspace.loader.load("details", read_rejected_images, project, number, then=then)

    def _label_planes_details(self, number: int) -> None:
        index = self._workspace.index
        entries = index.labels if index is not None else ()
        entry = next((e for e in entries if e.id == number), None)
        if entry is not None and index is not None:
            text = label_planes_text(entry, index)
            self._commands.show(DetailsDialog(entry.name, text, self._window))

    def _show_details(self, title: str, text_of: Callable[[Any], str], listed: Any) -> None:
        self._commands.show(DetailsDialog(title, text_of(listed), self._window))

    def _cancel_run(self, number: int) -> None:
        record = self._workspace.jobs.of_run(number)
        if record is not None:
            self._workspace.jobs.cancel(record.id)

    def _repeat_run(self, number: int) -> None:
        run = self._workspace.run(number)
        if run is not None:
            self._workspace.show_run(number, self)
            self._commands.run_audit(run.audit, read_json(run.parameters), run.models)

    def _show_model(self, side: str, name: str) -> None:
        self._workspace.show_model(side, name, self)
