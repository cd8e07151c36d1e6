"""What the window does with concepts that the user gives by examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, Slot

from analysis.figures.words import count
from app.concept_examples import ExampleOffer, ExampleWish, read_offer
from app.dialogs.add_concept_dialog import AddConceptDialog
from app.dialogs.save_concept_dialog import SaveConceptDialog
from app.perspectives.semantics import SemanticsPresenter
from app.problems import Problem, show_problem

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

_GATHER = "gather examples of a concept"


class ConceptCommands(QObject):
    """Makes concepts of patches, folders and labels, and plans the audit that compares by them."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self.actions: Mapping[str, Callable[[], Any]] = {
            "add-concept": self.add,
            "save-concept": self.save_selected,
            "compare-semantics": self.compare,
        }
        self._workspace.loader.failed.connect(self._on_failed)

    def save_selected(self) -> None:
        """Make a concept of what is selected in the perspective in front."""
        self.save(self._window.presenters[self._window.perspective].example_wish())

    @Slot(object)
    def save(self, wish: ExampleWish) -> None:
        """Ask which concept these patches are to become or to be added to."""
        if self._commands.require_writable():
            workspace = self._workspace
            workspace.loader.load(
                _GATHER, read_offer, workspace.backend, workspace.project, wish,
                then=self._on_offer,
            )  # fmt: skip

    def _on_offer(self, offer: ExampleOffer) -> None:
        dialog = SaveConceptDialog(self._workspace, offer, self._window)
        dialog.saved.connect(self._on_saved)
        self._commands.show(dialog)

    @Slot(str, int)
    def _on_saved(self, name: str, new: int) -> None:
        patches = count(new, "patch", "patches") if new else "nothing new"
        self._window.status_line.set_message(f"“{name}”: {patches} added.")

    def add(self) -> None:
        """Open the dialog for a concept, if a project can take one."""
        if self._commands.require_writable():
            dialog = AddConceptDialog(self._workspace, self._window)
            dialog.added.connect(self.show)
            self._commands.show(dialog)

    @Slot(int)
    def show(self, number: int) -> None:
        """Show a concept with its examples."""
        self._window.show_perspective("semantics")
        presenter = cast(SemanticsPresenter, self._window.presenters["semantics"])
        presenter.show_concept_set(number)

    def compare(self) -> None:
        """Plan the comparison by concepts of the two models selected, or of the active pair."""
        index, selected = self._workspace.index, self._workspace.session.snapshot.models
        networks = {model.name for model in index.networks} if index is not None else set()
        usable = len(selected) == 2 and networks.issuperset(selected)
        self._commands.run_audit("semantics", models=selected if usable else ())

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _GATHER:
            show_problem(self._window, problem)
