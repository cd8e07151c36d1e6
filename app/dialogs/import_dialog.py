"""Taking in a table made elsewhere: labelled units of models, or their performance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QLineEdit, QPushButton, QWidget

from analysis.figures.words import count
from app.dialogs.form import FormDialog, PathField, is_there
from app.labels import wrapped_label
from app.problems import Problem
from app.workspace import Workspace

_PREVIEW = "preview table"
_IMPORT = "import table"
_DEBOUNCE_MS = 200
_MOST_NAMES = 8
_MOST_LEFT_OUT = 6
_HELP = (
    "A CSV file of units (of the LCE authors, of NetDissect, or exported here) or of performance"
    " (models × tasks). Which of them it is, is found by reading it."
)


class ImportDialog(FormDialog):
    """File → what it holds → what was taken in. Nothing is written before Import is clicked."""

    shown = Signal(str, int)  # dissection or performance, run: to be shown now
    embed_wished = Signal(object)  # models

    def __init__(self, workspace: Workspace, path: str = "", parent: QWidget | None = None) -> None:
        super().__init__("Import a table", "Import", parent)
        self._workspace = workspace
        self._preview: Any = None
        self._summary: Any = None
        self._name_by_user = False
        self.path = PathField("table", "open", "Tables (*.csv);;All files (*)")
        self.model = QLineEdit()
        self.model.setMaxLength(200)
        self.model.setAccessibleName("Name of the model")
        self.model_label = QLabel("Model")
        self.contents = wrapped_label()
        self.contents.setAccessibleName("What the table holds")
        self.embed = QPushButton("Embed models…")
        self.embed.setAutoDefault(False)
        self.embed.setToolTip("Place these models by the concepts that they have learned")
        self.form.addRow("File", self.path)
        self.form.addRow(self.model_label, self.model)
        self.form.addRow(wrapped_label(_HELP, muted=True))
        self.column.insertWidget(1, self.contents)
        self.buttons.addButton(self.embed, QDialogButtonBox.ButtonRole.ActionRole)
        self.embed.hide()  # being added shows it
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self._ask)
        self.path.changed.connect(self._on_path)
        self.model.textEdited.connect(self._on_name)
        self.embed.clicked.connect(self._on_embed)
        workspace.loader.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self._show_name_field(False)
        self.path.set_text(path)
        self._on_path()

    # -- reading -------------------------------------------------------------------------------
    @Slot()
    def _on_path(self) -> None:
        self._name_by_user = False
        self.model.clear()
        self._read_anew()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._name_by_user = bool(text.strip())
        self._read_anew()

    def _read_anew(self) -> None:
        self._preview = None
        self.contents.clear()
        path = self.path.path()
        if path is None:
            self._refuse("Choose the table, or drop it here.")
        elif not is_there(path):
            self._refuse("There is no such file.")
        else:
            self.say("", "Reading…")
            self.accept_button.setEnabled(False)
            self._timer.start()

    def _refuse(self, problem: str) -> None:
        self._timer.stop()
        self._workspace.loader.forget(_PREVIEW)
        self.say(problem)

    @Slot()
    def _ask(self) -> None:
        name = self.model.text().strip() if self._name_by_user else None
        self._workspace.loader.load(
            _PREVIEW,
            self._workspace.backend.preview_table,
            self.path.path(),
            name or None,
            then=self._show_preview,
        )

    def _show_preview(self, preview: Any) -> None:
        self._preview = preview
        self._show_name_field(not preview.names_models)
        if not preview.names_models and not self._name_by_user:
            self.model.setText(", ".join(preview.models))
        index = self._workspace.index
        known = {model.name for model in index.models} if index is not None else set()
        self._tell(preview_text(preview, known))
        self.say("")

    def _show_name_field(self, shown: bool) -> None:
        for widget in (self.model_label, self.model):
            widget.setVisible(shown)

    # -- importing -----------------------------------------------------------------------------
    def accept(self) -> None:
        if self._summary is not None:
            self.shown.emit(self._preview.kind, self._summary.run)
            super().accept()
            return
        project, path = self._workspace.project, self.path.path()
        if self._preview is None or project is None or not self.accept_button.isEnabled():
            return
        self.say("", "Importing…")
        self.accept_button.setEnabled(False)
        name = None if self._preview.names_models else self.model.text().strip() or None
        self._workspace.loader.load(
            _IMPORT,
            self._workspace.backend.import_table,
            project,
            self._preview.kind,
            path,
            name,
            then=self._on_imported,
        )

    def _on_imported(self, summary: Any) -> None:
        self._summary = summary
        self._workspace.follow(summary.run)
        for widget in (self.path, self.model):
            widget.setEnabled(False)
        units = self._preview.kind == "dissection"
        self._tell(summary_text(summary, units))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText("Close")
        self.embed.setVisible(units and len(summary.models) >= 2)
        self.accept_button.setText("Show units" if units else "Show performance")
        self.say("", "Imported.")

    def _tell(self, text: str) -> None:
        """Show a text of several lines, with room for all of them."""
        self.contents.setText(text)
        self.column.activate()
        needed = self.column.heightForWidth(self.width())
        self.resize(self.width(), max(self.height(), needed))

    @Slot()
    def _on_embed(self) -> None:
        self.embed_wished.emit(tuple(self._summary.models))
        super().accept()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _PREVIEW:
            self._refuse(problem.text)
        elif name == _IMPORT:
            self.say_problem(problem)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


_FORMS = {
    "lce": "units as the LCE authors publish them",
    "netdissect": "units as NetDissect writes them",
    "parallax": "units as exported by Parallax",
    "wide": "performance, a column a task",
    "long": "performance, a row a model and task",
}


def preview_text(preview: Any, known: set[str]) -> str:
    """What a table holds, before anything is written."""
    rows = _rows(preview.rows, preview.kind == "dissection")
    form = _FORMS.get(preview.form, preview.form)
    lines = [f"{form}: {count(len(preview.models), 'model')}, {rows}"]
    new = [name for name in preview.models if name not in known]
    lines.append(f"Models: {_listed(preview.models)}")
    if new and len(new) < len(preview.models):
        lines.append(f"New to this project: {_listed(new)}")
    if preview.tasks:
        lines.append(f"{count(len(preview.tasks), 'task')}: {_listed(preview.tasks)}")
    if preview.flagged:
        flagged = count(preview.flagged, "unit")
        lines.append(f"{flagged} without a usable concept: kept and marked, not counted")
    return "\n".join([*lines, *left_out_lines(preview.left_out)])


def summary_text(summary: Any, units: bool) -> str:
    """What was taken in, and what was left out and why."""
    lines = [
        f"{_rows(summary.rows, units)} of {count(len(summary.models), 'model')} taken in as run"
        f" {summary.run}."
    ]
    if summary.added_models:
        lines.append(f"Added to the project: {_listed(summary.added_models)}")
    if summary.flagged:
        lines.append(f"{count(summary.flagged, 'unit')} marked and not counted as a concept.")
    return "\n".join([*lines, *left_out_lines(summary.left_out)])


def _rows(amount: int, units: bool) -> str:
    return count(amount, "unit" if units else "value")


def left_out_lines(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """The first things that were left out, with their reasons, and how many more there are."""
    if not left_out:
        return []
    lines = [f"Left out ({len(left_out):,}):"]
    lines += [f"  {subject}: {reason}" for subject, reason in left_out[:_MOST_LEFT_OUT]]
    more = len(left_out) - _MOST_LEFT_OUT
    return [*lines, f"  and {more:,} more"] if more > 0 else lines


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown
