"""A line that says that a newer run than the one on the screen is not finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from analysis.figures.words import count, plain
from app.project_index import RunEntry
from app.widgets.note_line import NoteLine

if TYPE_CHECKING:
    from app.main_window import MainWindow


class RunNote(NoteLine):
    """Under the bars above a view; the button shows that run all the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("run note", "◐", "Show that run", parent, "Show the newer run")

    def show_text(self, words: str, can_show: bool) -> None:
        """Say it; the button is there where that run has anything to show."""
        self.say(words)
        self.button.setVisible(can_show)


class RunNotes(QObject):
    """Keeps the line up to date with the runs of the project and the perspective in front."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._newer: int | None = None
        self.note = RunNote()
        centre = window.centralWidget()
        column = centre.layout() if centre is not None else None
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(window.stack), self.note)
        self.note.requested.connect(self._show_newer)
        window.tabs.currentChanged.connect(self.update)
        window.workspace.index_changed.connect(self.update)
        window.workspace.session.changed.connect(self.update)
        window.workspace.jobs.busy_changed.connect(self.update)
        self.update()

    @Slot()
    def update(self) -> None:
        """Say it, or say nothing."""
        index = self._window.workspace.index
        shown = self._window.presenters[self._window.perspective].shown_runs()
        found = index.newer_unfinished(shown) if index is not None and len(shown) < 3 else None
        self._newer = found[0].id if found is not None else None
        if found is not None:
            running = {record.run for record in self._window.workspace.jobs.active()}
            words = newer_words(*found, found[0].id in running)
            self.note.show_text(words, found[0].has_results)
        self.note.setVisible(found is not None)

    @Slot()
    def _show_newer(self) -> None:
        if self._newer is not None:
            self._window.workspace.show_run(self._newer, self)


def newer_words(newer: RunEntry, shown: RunEntry, running: bool) -> str:
    """What the line says."""
    state = "is running" if running else "is not finished"
    far = f"{newer.units_done:,} of {count(newer.units_total or 0, 'unit')} of work done"
    told = f" ({far})" if newer.units_total else ""
    return (
        f"This is run {shown.id}. A newer one, “{plain(newer.name)}” (run {newer.id}),"
        f" {state}{told}."
    )
