"""What the window does with findings and with undo: record, list, go back to, edit, remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSize, Slot
from PySide6.QtGui import QImage

from analysis.figures.words import count
from analysis.project import Project
from analysis.project.findings import Finding
from app import finding_pictures, reversible
from app.dialogs.export_dialog import ExportWish
from app.dialogs.finding_dialog import FindingDialog
from app.finding_entries import FindingEntry, tags_of
from app.finding_words import InFocus, suggested_title
from app.findings_delegate import PICTURE_SIZE
from app.perspectives import PERSPECTIVES
from app.problems import Problem, show_problem
from app.project_index import ImageFacts, ProjectIndex
from app.restoring import Restorer
from app.view_states import Found, find_state, take_state, write_state

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

_FIND = "find a finding"
_EDIT = "read a finding"
_PICTURES = "pictures of findings"
_ALL_RUNS = 0  # the number of none
_PREVIEW = QSize(1600, 1200)


class FindingCommands(QObject):
    """The panel of findings, and the actions of the Edit menu."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self._panel = window.findings_panel
        self._image: ImageFacts | None = None  # in focus
        self.restorer = Restorer(window.workspace, self)
        undo = self._workspace.undo
        self.actions: Mapping[str, Callable[[], Any]] = {
            "undo": undo.undo,
            "redo": undo.redo,
            "record-finding": self.record,
            "show-findings": self.show_panel,
        }
        panel = self._panel
        panel.opened.connect(self.open)
        panel.edit_wished.connect(self.edit)
        panel.remove_wished.connect(self.remove)
        panel.export_wished.connect(self.export)
        panel.record_wished.connect(self._wish_record)
        panel.pictures_needed.connect(self._on_pictures_needed)
        window.inspector.record_wished.connect(self._wish_record)
        self._workspace.index_changed.connect(self._on_index)
        self._workspace.focus.image_changed.connect(self._on_image)
        self._workspace.loader.failed.connect(self._on_failed)
        self._show_index(None)

    # -- listing -------------------------------------------------------------------------------
    @Slot(object)
    def _on_index(self, index: ProjectIndex | None) -> None:
        self._show_index(index)

    def _show_index(self, index: ProjectIndex | None) -> None:
        entries = index.findings if index is not None else ()
        places = {entry.id: self._place(entry, index) for entry in entries}
        writable = self._workspace.writable
        self._panel.show_findings(entries, places, _TITLES, writable)
        self._window.inspector.set_recording(writable)

    def _place(self, entry: FindingEntry, index: ProjectIndex | None) -> str:
        """Where a finding was made, in words."""
        run = index.run(entry.run) if index is not None else None
        parts = (_TITLES.get(entry.perspective, ""), run.name if run is not None else "")
        return " · ".join(part for part in parts if part)

    def show_panel(self) -> None:
        """Bring the list of findings to the front."""
        dock = self._window.docks["findings"]
        dock.show()
        dock.raise_()
        self._panel.list.setFocus()

    @Slot(object)
    def _on_pictures_needed(self, numbers: tuple[int, ...]) -> None:
        project = self._workspace.project
        if project is not None:
            ratio = self._window.devicePixelRatioF()
            most = QSize(*(round(side * ratio) for side in PICTURE_SIZE))
            arguments = (project, numbers, most)
            read = finding_pictures.read_pictures
            # Each by its own name: a later question does not make an earlier one unwanted.
            name = f"{_PICTURES} {numbers[0]}"
            self._workspace.loader.load(name, read, *arguments, then=self._panel.show_pictures)

    @Slot(object, object)
    def _on_image(self, facts: ImageFacts | None, _patch: object) -> None:
        self._image = facts

    # -- recording -----------------------------------------------------------------------------
    @Slot()
    def _wish_record(self) -> None:
        self._commands.do("record-finding")

    def record(self) -> None:
        """Ask what was found in the view in front, whose picture and state are taken now."""
        if not self._commands.require_writable():
            return
        window, workspace = self._window, self._workspace
        centre = window.centralWidget()
        picture = QImage() if centre is None else centre.grab().toImage()
        presenter = window.presenters[window.perspective]
        state = take_state(
            window.perspective, workspace.session.snapshot, workspace.index, presenter.view_state()
        )
        focus = InFocus(
            workspace.session.snapshot, workspace.focus.detail, workspace.focus.unit, self._image
        )
        run = workspace.run(presenter.export_run(""))
        title = _TITLES[window.perspective] if run is None else run.name
        finding = Finding(
            title=suggested_title(window.perspective, title, focus),
            perspective=window.perspective,
            run=None if run is None else run.id,
            view_state=write_state(state),
        )
        self._show_dialog(finding, picture).written.connect(self._on_recorded)

    def _show_dialog(self, finding: Finding, picture: QImage) -> FindingDialog:
        index = self._workspace.index
        tags = tags_of(index.findings) if index is not None else ()
        dialog = FindingDialog(finding, picture, tags, self._window)
        self._workspace.project_changed.connect(dialog.close)
        self._commands.show(dialog)
        return dialog

    @Slot(object, object)
    def _on_recorded(self, finding: Finding, picture: QImage | None) -> None:
        step = partial(finding_pictures.record, finding, picture)
        if self._workspace.undo.do("record finding", step):
            self._window.status_line.set_message(f"Recorded: {finding.title}")

    # -- going back to -------------------------------------------------------------------------
    @Slot(int)
    def open(self, number: int) -> None:
        """Show again what was seen when a finding was recorded."""
        project = self._workspace.project
        if project is not None:
            self._workspace.loader.load(_FIND, _look_up, project, number, then=self._restore)

    def _restore(self, answer: tuple[Finding, Found]) -> None:
        finding, found = answer
        window, presenter = self._window, self._window.presenters.get(finding.perspective)
        missing = list(found.missing)
        if presenter is None:
            missing.insert(0, "This version of Parallax does not have the view.")
        else:
            self.restorer.cancel()
            presenter.show_results()
            self._workspace.session.update(found.changes, window)
            window.show_perspective(finding.perspective)
            self.restorer.begin(presenter, found.changes, found.state.view)
            window.status_line.set_message(f"As it was: {finding.title}")
        if missing:
            summary = f"Not all that “{finding.title}” showed is still there."
            show_problem(window, Problem(summary, " ".join(missing)))

    # -- changing ------------------------------------------------------------------------------
    @Slot(int)
    def edit(self, number: int) -> None:
        """Ask what a finding is to say."""
        project = self._workspace.project
        if project is not None and self._commands.require_writable():
            self._workspace.loader.load(_EDIT, _read, project, number, then=self._on_read)

    def _on_read(self, answer: tuple[Finding, QImage]) -> None:
        self._show_dialog(*answer).written.connect(self._on_edited)

    @Slot(object, object)
    def _on_edited(self, finding: Finding, _picture: object) -> None:
        self._workspace.undo.do("edit finding", partial(reversible.change_finding, finding))

    @Slot(object)
    def remove(self, numbers: tuple[int, ...]) -> None:
        """Forget findings; they can be brought back by Undo."""
        many = len(numbers) != 1
        step = partial(reversible.remove_findings, tuple(numbers))
        text = f"remove {len(numbers)} findings" if many else "remove finding"
        if self._workspace.undo.do(text, step):
            words = count(len(numbers), "finding")
            self._window.status_line.set_message(f"{words} removed; Undo brings back.")

    @Slot()
    def export(self) -> None:
        """Write all findings as a table."""
        self._commands.export("table", ExportWish("finding", "csv"), _ALL_RUNS)

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name in (_FIND, _EDIT):
            show_problem(self._window, problem)


_TITLES: Mapping[str, str] = {each.id: each.title for each in PERSPECTIVES}


def _look_up(project: Project, number: int) -> tuple[Finding, Found]:
    finding = project.finding(number)
    return finding, find_state(project, finding.perspective, finding.view_state)


def _read(project: Project, number: int) -> tuple[Finding, QImage]:
    return project.finding(number), finding_pictures.read_picture(project, number, _PREVIEW)
