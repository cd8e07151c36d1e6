"""What the window does with slices of the images: choosing, making, renaming, removing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QVBoxLayout

from app import reversible
from app.dialogs.performance_dialog import PerformanceDialog
from app.dialogs.prompts import NameDialog
from app.dialogs.slice_dialog import SliceDialog
from app.perspectives import PERSPECTIVES
from app.problems import Problem, show_problem
from app.project_index import ProjectIndex
from app.slice_bar import SliceNote
from app.slice_making import SliceOffer, read_slice_offer

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

_GATHER = "gather what slices can be made by"
_PERFORMANCE = "performance over the slice"


class SliceCommands(QObject):
    """Keeps the slice's controls up to date and does what they ask for."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self.actions: Mapping[str, Callable[[], Any]] = {
            "new-slice": self.new,
            "all-images": self.show_all,
            "slice-performance": self.show_performance,
        }
        self.intents: Mapping[str, Callable[[Any], Any]] = {
            "show-slice": self.show,
            "rename-slice": self.rename,
            "remove-slice": self.remove,
        }
        self.control, self.note = window.pair_bar.slices, SliceNote()
        self._build()
        self._connect()
        self._on_index(self._workspace.index)

    def _build(self) -> None:
        centre = self._window.centralWidget()
        column = centre.layout() if centre is not None else None
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self._window.pair_bar) + 1, self.note)

    def _connect(self) -> None:
        workspace = self._workspace
        self.control.slice_changed.connect(self.show)
        self.control.new_requested.connect(self._on_new)
        self.note.requested.connect(self.show_all)
        for presenter in self._window.presenters.values():
            presenter.slice_note_changed.connect(self._show_note)
        self._window.tabs.currentChanged.connect(self._show_note)
        workspace.index_changed.connect(self._on_index)
        workspace.session.changed.connect(self._on_session)
        workspace.slices.changed.connect(self._show_note)
        workspace.loader.failed.connect(self._on_failed)

    # -- what is shown -------------------------------------------------------------------------
    @Slot(object)
    def _on_index(self, index: ProjectIndex | None) -> None:
        entries = index.slices if index is not None else ()
        self.control.set_slices(entries, self._workspace.writable)
        self._show_note()

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], _initiator: object) -> None:
        if changes & {"image_slice", "project"}:
            self.control.set_slice(self._workspace.session.snapshot.image_slice)
            self._window.update_actions()
            self._show_note()

    @Slot()
    def _show_note(self) -> None:
        shown = {p.id: p for p in PERSPECTIVES}.get(self._window.perspective)
        entry = self._workspace.slices.entry
        about_images = shown is not None and bool(shown.audits)
        self.note.setVisible(entry is not None and about_images)
        if entry is not None:
            presenter = self._window.presenters[self._window.perspective]
            self.note.show_text(entry.name, entry.images, presenter.slice_sentence())

    # -- wishes --------------------------------------------------------------------------------
    @Slot(object)
    def show(self, number: int | None) -> None:
        """Narrow all views to a slice, or show all images again."""
        self._workspace.session.update({"image_slice": number}, self)

    @Slot()
    def show_all(self) -> None:
        """Show all images."""
        self.show(None)

    @Slot()
    def _on_new(self) -> None:
        self._commands.do("new-slice")

    def new(self) -> None:
        """Gather what a slice can be made by, then ask."""
        if self._commands.require_writable():
            workspace = self._workspace
            wish = self._window.presenters[self._window.perspective].example_wish()
            workspace.loader.load(
                _GATHER, read_slice_offer, workspace.backend, workspace.project, wish,
                then=self._on_offer,
            )  # fmt: skip

    def _on_offer(self, offer: SliceOffer) -> None:
        dialog = SliceDialog(self._workspace, offer, self._window)
        dialog.added.connect(self._on_added)
        self._commands.show(dialog)

    @Slot(int)
    def _on_added(self, number: int) -> None:
        self.show(number)

    def rename(self, number: int) -> None:
        """Ask for another name."""
        index = self._workspace.index
        entry = index.image_slice(number) if index is not None else None
        if index is not None and entry is not None and self._commands.require_writable():
            taken = frozenset(one.name for one in index.slices)
            dialog = NameDialog("Rename the slice", entry.name, taken, number, self._window)
            dialog.chosen.connect(self._on_renamed)
            self._commands.show(dialog)

    @Slot(object, str)
    def _on_renamed(self, number: int, name: str) -> None:
        step = partial(reversible.rename_slice, number, name)
        self._workspace.undo.do("rename slice", step)

    def remove(self, number: int) -> None:
        """Forget a slice; that can be undone, so nothing is asked."""
        if self._commands.require_writable():
            self._workspace.undo.do("remove slice", partial(reversible.remove_slice, number))

    def show_performance(self) -> None:
        """How well the models do on the slice's images, beside all images."""
        workspace, number = self._workspace, self._workspace.session.snapshot.image_slice
        if number is not None and workspace.project is not None:
            read = workspace.backend.sliced_performance
            workspace.loader.load(
                _PERFORMANCE, read, workspace.project, number, then=self._on_performance
            )

    def _on_performance(self, both: tuple[Any, Any]) -> None:
        entry = self._workspace.slices.entry
        if entry is not None:
            dialog = PerformanceDialog(entry.name, *both, parent=self._window)
            dialog.export_requested.connect(self._on_export)
            self._commands.show(dialog)

    @Slot(str, str)
    def _on_export(self, figure: str, form: str) -> None:
        dialog = self.sender()
        if isinstance(dialog, PerformanceDialog):
            self._commands.export_view(figure, form, None, dialog.export_parameters())

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name in (_GATHER, _PERFORMANCE):
            show_problem(self._window, problem)
