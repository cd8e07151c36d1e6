"""What the window does with composed reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from app.dialogs.prompts import Question
from app.perspectives.report import ReportPresenter
from app.problems import Problem, show_problem

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

_WRITE = "write a report"
_FILTERS = {"html": "Web page (*.html)", "pdf": "PDF (*.pdf)"}


class ReportCommands(QObject):
    """Begins reports, writes them to files, and asks before one is removed."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self._path: Path | None = None
        self.actions: Mapping[str, Callable[[], Any]] = {
            "new-report": self.begin,
            "export-report": self.export,
        }
        self._presenter.report_export_wished.connect(self.export_as)
        self._presenter.removal_wished.connect(self._ask_to_remove)
        self._workspace.drawer.failed.connect(self._on_failed)

    @property
    def _presenter(self) -> ReportPresenter:
        return cast(ReportPresenter, self._window.presenters["report"])

    def begin(self) -> None:
        """Begin a report with what the project holds, and show it."""
        self._presenter.begin()
        self._window.show_perspective("report")

    def export(self) -> None:
        """Ask for a file, and write the report that is composed, or all there is."""
        self._ask_for_file(tuple(_FILTERS))

    @Slot(str)
    def export_as(self, form: str) -> None:
        """Ask for a file of one kind."""
        self._ask_for_file((form,))

    def _ask_for_file(self, forms: tuple[str, ...]) -> None:
        project = self._workspace.project
        if project is None:
            return
        filters = ";;".join(_FILTERS[form] for form in forms)
        dialog = self._commands.file_dialog("Export the report", filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(forms[0])
        stem = Path(project.path).stem
        dialog.selectFile(str(Path(project.path).parent / f"{stem}-report.{forms[0]}"))
        dialog.fileSelected.connect(self.write)
        dialog.open()

    @Slot(str)
    def write(self, path: str) -> None:
        """Write the report on the screen; where none is composed, all that can be reported."""
        presenter, workspace = self._presenter, self._workspace
        if workspace.project is None:
            return
        presenter.commit()
        self._path = Path(path)
        self._window.status_line.set_message(f"Writing {self._path.name}…")
        workspace.drawer.load(
            _WRITE,
            workspace.backend.write_report,
            workspace.project,
            self._path,
            presenter.composition,
            then=self._on_written,
        )

    def _on_written(self, _answer: object) -> None:
        self._window.status_line.set_message(f"Written: {self._path}")

    @Slot(str)
    def _ask_to_remove(self, name: str) -> None:
        question = Question(
            f"Remove the report “{name}”?",
            "Undo brings it back with its order, captions and texts. Files written from it stay,"
            " and so do all results and findings.",
            "Remove",
            "Keep it",
            None,
            self._window,
        )
        question.confirmed.connect(self._on_removal)
        question.open()

    @Slot(object)
    def _on_removal(self, _payload: object) -> None:
        self._presenter.remove()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _WRITE:
            self._window.status_line.set_message("")
            show_problem(self._window, problem)
