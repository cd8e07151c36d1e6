"""What all presenters share: they load figure data in the store lane and hand it to their view.

A presenter follows the session only while it is on the screen; hidden, it notes that it is out of
date and loads when shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.concept_examples import Example, ExampleChoice, ExampleWish
from app.problems import Problem
from app.widgets.empty_state import EmptyState
from app.widgets.parts import Parts
from app.workspace import Workspace

# What the large view of every perspective asks for → the action that does it.
_OF_ALL_VIEWS = {"relocate": "relocate"}
_READING = "The results are being read …"
_PATIENCE_MS = 250  # so long nothing need be said


class Presenter(QObject):
    """Base of all presenters: visibility, dirtiness, and the empty state beside the view."""

    wish = Signal(str)  # an action's id, asked for by an empty state
    export_wished = Signal(str, str, object, object)  # figure, format, run, parameters
    view_built = Signal(object)  # the view, which is made when it is first needed
    concept_wished = Signal(object)  # ExampleWish: what is to become a concept
    slice_note_changed = Signal()  # `slice_sentence` says something else

    #: session fields after which the view's data must be loaded anew
    reload_on: frozenset[str] = frozenset({"project", "model_a", "model_b"})
    #: what a view's buttons ask for → the action that does it; others plan a run
    view_actions: ClassVar[Mapping[str, str]] = {}
    #: reads without which there is nothing to show; the failure of another one is only said
    needed: frozenset[str] | None = None
    #: the figure that an export begins with
    main_figure: ClassVar[str] = ""
    #: where the view comes from; its `PARTS` are made ahead of it, one at a time
    view_module: ClassVar[str] = ""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.session = workspace.session
        self.widget = QStackedWidget()
        self.empty = EmptyState("")
        self.empty.action.connect(self.wish)
        self.widget.addWidget(self.empty)
        self.parts = Parts(self.widget)
        self._view: QWidget | None = None
        self._active = False
        self._dirty = True
        self._missed: frozenset[str] = frozenset()  # changes of the session while hidden
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._say_reading)
        workspace.session.changed.connect(self._on_session)
        workspace.results_changed.connect(self._on_results)
        workspace.index_changed.connect(self._on_index)
        workspace.loader.failed.connect(self._on_load_failed)

    # -- to be given by each perspective -------------------------------------------------------
    def make_view(self) -> QWidget:
        """Build the view; called when it is first needed."""
        raise NotImplementedError

    def load(self) -> None:
        """Ask for the data, or show the empty state."""
        raise NotImplementedError

    def follow(self, changes: frozenset[str], initiator: object) -> None:
        """Bring the view's focus and selection up to date."""

    def show_results(self) -> None:
        """Leave whatever is in front of the run's results: they are asked for."""

    def slice_sentence(self) -> str:
        """What of this view is of the slice in use, and what is of all images."""
        return "What is shown here was measured over all images of the run."

    def shown_runs(self) -> frozenset[int]:
        """The runs whose results are on the screen."""
        return frozenset()

    def export_run(self, figure: str) -> int | None:
        """The run that a figure of this perspective shows."""
        return next(iter(self.shown_runs()), None)

    def export_parameters(self, figure: str) -> dict[str, object]:
        """What decides how a figure of this perspective looks, as its export needs it."""
        return {}

    def example_wish(self) -> ExampleWish:
        """What could become a concept here: the image in focus, or what is selected."""
        image = self.session.snapshot.image
        if image is None:
            return ExampleWish()
        return ExampleWish((ExampleChoice("the image in focus", (Example(image),)),))

    # -- the exact state of what is shown, for findings -----------------------------------------
    def view_state(self) -> dict[str, Any]:
        """What decides what is seen, besides the session's fields: plain JSON values."""
        if self._view is None or self.widget.currentWidget() is not self._view:
            return {}
        from app import widget_states

        return {"controls": widget_states.read(self._view)}

    def restore_view_state(self, state: Mapping[str, Any]) -> bool:
        """Set what can be set of `view_state` now; whether anything had to be set.

        Called again while that is so, each time when the data asked for have come.
        """
        if self._view is None or self.widget.currentWidget() is not self._view:
            return False
        from app import widget_states

        return widget_states.restore(self._view, state.get("controls"))

    # -- what all share ------------------------------------------------------------------------
    @property
    def built(self) -> bool:
        """Whether the view exists already."""
        return self._view is not None

    @property
    def shows_view(self) -> bool:
        """Whether the view is in front, not the empty state."""
        return self._view is not None and self.widget.currentWidget() is self._view

    @property
    def active(self) -> bool:
        """Whether it is on the screen."""
        return self._active

    @property
    def view(self) -> QWidget:
        if self._view is None:
            self._view = self.make_view()
            self.widget.addWidget(self._view)
            self.view_built.emit(self._view)
        return self._view

    def build_next(self) -> None:
        """Make one more part of the view, or, when all are there, the view."""
        module = import_module(self.view_module) if self.view_module else None
        for maker in getattr(module, "PARTS", ()):
            if self.parts.make(maker):
                return
        self.view  # noqa: B018  (made on first access)

    def set_active(self, active: bool) -> None:
        """Shown or hidden; shows what has changed meanwhile."""
        self._active = active
        if not active:
            return
        if self._dirty:
            self.refresh()
        missed, self._missed = self._missed, frozenset()
        if missed and self._view is not None:
            self.follow(missed, None)

    def refresh(self) -> None:
        """Load now if on the screen, else when shown."""
        self._dirty = not self._active
        if self._active:
            self.load()
            if self._blank:
                self._patience.start()

    @property
    def _blank(self) -> bool:
        """Whether there is nothing to be seen yet, not even a sentence."""
        return self.widget.currentWidget() is self.empty and not self.empty.sentence.text()

    @Slot()
    def _say_reading(self) -> None:
        if self._blank and self.workspace.loader.waits_for(self.objectName()):
            self.empty.set_text(_READING)

    def show_view(self) -> None:
        self.widget.setCurrentWidget(self.view)

    def show_empty(self, sentence: str, button: str = "", action: str = "") -> None:
        self.empty.set_text(sentence, button, action)
        self.widget.setCurrentWidget(self.empty)

    def read(self, what: str, read: Callable[..., Any], *arguments: Any, then: Any) -> None:
        """Ask for data of the open project; the answer of an older question is dropped."""
        name = f"{self.objectName()} {what}"
        self.workspace.loader.load(
            name, read, self.workspace.project, *arguments, then=then, ready=self._prepared
        )

    def _prepared(self) -> bool:
        """Make one more part of the view, if it needs one; whether the view is there."""
        if not self.built:
            self.build_next()
        return self.built

    def narrowed(
        self, whole: Callable[..., Any], sliced: Callable[..., Any], *arguments: Any
    ) -> tuple[Any, ...]:
        """What to `read`: over all images, or over the slice in use, whose id comes last."""
        within = self.session.snapshot.image_slice
        return (whole, *arguments) if within is None else (sliced, *arguments, within)

    def slice_parameters(self) -> dict[str, object]:
        """For the export of a figure that can be narrowed to the slice in use."""
        entry = self.workspace.slices.entry
        return {"slice": entry.name} if entry is not None else {}

    def show_no_images(self) -> None:
        """Say that the run has nothing of the slice in use."""
        entry = self.workspace.slices.entry
        name = f"“{entry.name}”" if entry is not None else "in use"
        self.show_empty(
            f"This run has no results of the images of the slice {name}.",
            "Show all images",
            "all-images",
        )

    def forget(self, *names: str) -> None:
        """The answers to these reads are no longer wanted."""
        for what in names:
            self.workspace.loader.forget(f"{self.objectName()} {what}")

    def show_missing(
        self,
        what: str,
        run_text: str,
        button: str = "Run an audit…",
        action: str = "run-audit",
    ) -> None:
        """Say what will be here, and offer the next step towards it."""
        index = self.workspace.index
        if index is None:
            self.show_empty(f"{what} Open a project to begin.", "Open…", "open")
        elif not index.image_sets:
            self.show_empty(f"{what} The project has no images yet.", "Add images…", "add-images")
        elif not index.models:
            self.show_empty(f"{what} The project has no models yet.", "Add model…", "add-model")
        elif index.read_only:
            self.show_empty(f"{what} This project has none, and it is open read-only.")
        else:
            self.show_empty(f"{what} {run_text}", button, action)

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], initiator: object) -> None:
        if changes & self.reload_on:
            self.refresh()
        if not self._active:
            self._missed |= changes
        elif self._view is not None:
            self.follow(changes, initiator)

    @Slot(object)
    def _on_results(self, runs: frozenset[int]) -> None:
        if runs & self.shown_runs():
            self.refresh()

    @Slot(object)
    def _on_index(self, _index: object) -> None:
        if self.widget.currentWidget() is self.empty:
            self.refresh()

    @Slot(str, str)
    def _on_export(self, figure: str, form: str) -> None:
        parameters = self.export_parameters(figure)
        self.export_wished.emit(figure, form, self.export_run(figure), parameters)

    @Slot(str)
    def _on_view_action(self, action: str) -> None:
        self.wish.emit({**_OF_ALL_VIEWS, **self.view_actions}.get(action, "run-audit"))

    @Slot(object)
    def _on_concept_wished(self, choices: tuple[ExampleChoice, ...]) -> None:
        """Patches of the view are to become a concept; others that are selected may as well."""
        wish = self.example_wish()
        more = [choice for choice in wish.choices if choice not in choices]
        self.concept_wished.emit(replace(wish, choices=(*choices, *more)))

    @Slot(str, object)
    def _on_load_failed(self, name: str, problem: Problem) -> None:
        owner, _, what = name.partition(" ")
        if owner != self.objectName() or not self._active:
            return
        if self.needed is None or what in self.needed:
            self.show_empty(problem.text)
        else:
            self.workspace.problem_found.emit(problem, what)
