"""Writing a figure or a table to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from app.backend import FigureChoice
from app.dialogs.form import FormDialog, PathField
from app.problems import Problem
from app.project_index import RunEntry
from app.workspace import Workspace

_FIGURE_SUFFIXES = (".svg", ".pdf", ".png", ".csv")
_TABLE_SUFFIXES = (".csv", ".json")
_EXPORT = "export"
_CHOICES = "export choices"


@dataclass(frozen=True)
class ExportWish:
    """What a view asked for: a figure of the registry, a format, and how it is shown now."""

    figure: str = ""
    form: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)


class ExportDialog(FormDialog):
    """Chooses what, of which run, and where to; stays open if writing fails."""

    exported = Signal(object)  # the path written

    def __init__(
        self,
        workspace: Workspace,
        kind: str,
        run: int | None,
        wanted: ExportWish | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`kind`: figure or table; `run`: the one shown; `wanted`: what a view asked for."""
        super().__init__(f"Export a {kind}", "Export", parent)
        self._workspace = workspace
        self._kind = kind
        self._suffixes = _FIGURE_SUFFIXES if kind == "figure" else _TABLE_SUFFIXES
        self._path_by_user = False
        self._wanted = wanted or ExportWish()
        self._shown_run = run
        self.what = QComboBox()
        self.what.setAccessibleName(f"Which {kind}")
        self.run = QComboBox()
        self.run.setAccessibleName("Of which run")
        pattern = " ".join(f"*{suffix}" for suffix in self._suffixes)
        self.path = PathField("file to write", "save", f"{kind.title()} ({pattern})")
        self.form.addRow(kind.title(), self.what)
        self.form.addRow("Run", self.run)
        self.form.addRow("File", self.path)
        self._fill_runs()
        self.what.currentIndexChanged.connect(self._on_what)
        self.run.currentIndexChanged.connect(self._suggest)
        self.path.changed.connect(self._check)
        self.path.edit.textEdited.connect(self._on_path_edited)
        workspace.loader.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self.say("Reading what there is…")
        if kind == "figure":
            workspace.loader.load(
                _CHOICES, workspace.backend.figure_choices, then=self._show_choices
            )
        else:
            workspace.loader.load(
                _CHOICES,
                workspace.backend.table_choices,
                workspace.project,
                then=self._show_choices,
            )

    @Slot()
    def _fill_runs(self) -> None:
        index, choice = self._workspace.index, self.what.currentData()
        audits = choice.audits if choice is not None else ()
        with QSignalBlocker(self.run):
            self.run.clear()
            if self._kind == "table":
                self.run.addItem("all runs", None)
            for run in reversed(index.runs if index is not None else ()):
                if run.has_results and (not audits or run.audit in audits):
                    self.run.addItem(_run_words(run), run.id)
                    if run.id == self._shown_run:
                        self.run.setCurrentIndex(self.run.count() - 1)

    def _show_choices(self, choices: tuple[FigureChoice, ...]) -> None:
        with QSignalBlocker(self.what):
            for choice in choices:
                self.what.addItem(choice.title, choice)
                if choice.name == self._wanted.figure:
                    self.what.setCurrentIndex(self.what.count() - 1)
        self._on_what()

    @Slot()
    def _on_what(self) -> None:
        self._fill_runs()
        self._suggest()

    @Slot()
    def _suggest(self) -> None:
        project, choice = self._workspace.project, self.what.currentData()
        if project is not None and choice is not None and not self._path_by_user:
            stem = f"{Path(project.path).stem}-{choice.name}"
            if self.run.currentData() is not None:
                stem += f"-run-{self.run.currentData()}"
            suffix = f".{self._wanted.form}" if self._wanted.form else self._suffixes[0]
            self.path.set_text(str(Path(project.path).parent / (stem + suffix)))
        self._check()

    @Slot(str)
    def _on_path_edited(self, text: str) -> None:
        self._path_by_user = bool(text.strip())

    @Slot()
    def _check(self) -> None:
        path = self.path.path()
        if self.what.currentData() is None:
            self.say(f"There is no {self._kind} to export yet.")
        elif self.run.count() == 0:
            self.say("No run has results for this figure yet.")
        elif path is None:
            self.say("Choose the file to write.")
        elif path.suffix.lower() not in self._suffixes:
            self.say(f"The file name must end in {', '.join(self._suffixes)}.")
        else:
            self.say("", "An existing file is replaced." if _exists(path) else "")

    def accept(self) -> None:
        path, project = self.path.path(), self._workspace.project
        if path is None or project is None or not self.accept_button.isEnabled():
            return
        self.accept_button.setEnabled(False)
        self.say("", "Writing…")
        name, run = self.what.currentData().name, self.run.currentData()
        parameters = self._wanted.parameters if name == self._wanted.figure else {}
        backend = self._workspace.backend
        if self._kind == "figure":
            write = partial(backend.export_figure, project, name, path, run, parameters)
        else:
            kind: Literal["csv", "json"] = "json" if path.suffix.lower() == ".json" else "csv"
            write = partial(backend.export_table, project, name, path, kind, run)
        self._workspace.loader.load(_EXPORT, write, then=self._on_written)

    def _on_written(self, _answer: object) -> None:
        self.exported.emit(self.path.path())
        super().accept()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name in (_EXPORT, _CHOICES):
            self.say_problem(problem)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _run_words(run: RunEntry) -> str:
    return f"{run.name} · {run.about} (run {run.id})"
