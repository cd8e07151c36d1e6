"""What the window does with several models at once: compare, dissect, embed, import tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from analysis.errors import AuditError
from analysis.name_lists import join_names, split_names
from app.dialogs.import_dialog import ImportDialog
from app.dialogs.labels_dialog import LabelsDialog
from app.perspectives.units import UnitsPresenter
from app.problems import Problem, problem_of, show_problem
from app.project_index import as_text, read_json

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow


class ModelCommands(QObject):
    """Actions on the models selected, and on those of a table."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self.actions: Mapping[str, Callable[[], Any]] = {
            "compare-models": self.compare_selected,
            "dissect-models": partial(self._run_on_networks, "dissection"),
            "evaluate-models": partial(self._run_on_networks, "evaluation"),
            "explain-images": partial(self._run_on_networks, "saliency"),
            "embed-models": self.embed,
            "import-table": self.import_table,
            "add-labels": self.add_labels,
        }

    # -- comparing -----------------------------------------------------------------------------
    def compare_selected(self) -> None:
        """Show the concepts of the two models selected."""
        models = self._workspace.session.snapshot.models
        if len(models) == 2:
            self.compare(*models)

    @Slot(str, str)
    def compare(self, model_a: str, model_b: str) -> None:
        """Show the concepts of two models, or plan the run that compares them."""
        index = self._workspace.index
        for name in (model_a, model_b):
            model = index.model(name) if index is not None else None
            if model is None or model.imported:
                self._say(
                    f"“{name}” comes from a table: there is no network to compare.",
                    "Add the network itself under another name, and compare that.",
                )
                return
        self._workspace.set_pair(model_a, model_b, self)
        if self._workspace.session.snapshot.run_concepts is None and self._can("run-audit"):
            self._commands.run_audit("concepts", models=(model_a, model_b))
        else:
            self._window.show_perspective("concepts")

    # -- running -------------------------------------------------------------------------------
    def _run_on_networks(self, audit: str) -> None:
        self._commands.run_audit(audit, models=self._workspace.session.snapshot.models)

    @Slot(object)
    def embed(self, models: Sequence[str] = ()) -> None:
        """Plan the embedding of these models, of those selected, or of all that are dissected."""
        index = self._workspace.index
        dissected = set(index.dissected) if index is not None else set()
        selected = [n for n in self._workspace.session.snapshot.models if n in dissected]
        wanted = tuple(models) or (tuple(selected) if len(selected) > 1 else ())
        self._commands.run_audit("embedding", models=wanted or tuple(dissected))

    @Slot(int, object)
    def project(self, run: int, models: Sequence[str]) -> None:
        """Embed anew as `run` did, with more models placed into what it was fitted to."""
        entry, workspace = self._workspace.run(run), self._workspace
        if entry is None or not workspace.writable or not models:
            return
        values = read_json(entry.parameters)
        values["projected"] = _joined(values.get("projected", ""), models)
        if values.get("dissection"):  # only these runs are looked at: add those of the new models
            values["dissection"] = _joined(values["dissection"], self._dissections_of(models))
        known = {field.name for field in workspace.backend.parameter_fields(entry.audit)}
        texts = {name: as_text(value) for name, value in values.items() if name in known}
        try:
            parameters = workspace.backend.parse_parameters(entry.audit, texts)
        except AuditError as error:
            show_problem(self._window, problem_of(error))
            return
        workspace.start_audit(entry.audit, entry.models, parameters, entry.image_set, "auto")

    def _dissections_of(self, models: Sequence[str]) -> list[str]:
        """The number of the newest dissection of each model."""
        index = self._workspace.index
        newest = {
            name: str(run.id)
            for run in (index.runs if index is not None else ())
            for name in run.dissected
        }
        return [newest[name] for name in models if name in newest]

    @Slot(str)
    def show_units(self, concept: str) -> None:
        """Show the units that know a concept."""
        presenter = self._window.presenters["units"]
        self._window.show_perspective("units")
        if isinstance(presenter, UnitsPresenter):
            presenter.search(concept)

    # -- tables and label planes ---------------------------------------------------------------
    def import_table(self, path: str = "") -> None:
        """Open the dialog for a table, if a project can take one."""
        if self._commands.require_writable():
            dialog = ImportDialog(self._workspace, path, self._window)
            dialog.shown.connect(self._on_imported)
            dialog.embed_wished.connect(self.embed)
            self._commands.show(dialog)

    @Slot(str, int)
    def _on_imported(self, kind: str, _run: int) -> None:
        self._window.show_perspective("units" if kind == "dissection" else "embedding")

    def add_labels(self, source: str = "") -> None:
        """Open the dialog for a folder of label planes, if a project can take one."""
        if self._commands.require_writable():
            self._commands.show(LabelsDialog(self._workspace, source, self._window))

    def _can(self, action: str) -> bool:
        return self._window.actions_registry[action].isEnabled()

    def _say(self, summary: str, hint: str) -> None:
        show_problem(self._window, Problem(summary, hint))


def _joined(listed: object, more: Sequence[str]) -> str:
    """A parameter that lists names, with more of them."""
    return join_names(dict.fromkeys([*split_names(str(listed)), *more]))
