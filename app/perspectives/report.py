"""Reports: composed of what the project holds, kept in it, and shown as pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from analysis.figures.report_composition import (
    Block,
    Composition,
    composition_from_json,
    composition_to_json,
    reordered,
    with_block,
)
from analysis.figures.report_names import ReportNames, block_titles
from app.backend_report import OpenReport, ReportEntry
from app.perspectives.base import Presenter
from app.problems import Problem
from app.project_index import ProjectIndex
from app.report_edits import (
    ReportAdded,
    ReportEdited,
    ReportRemoved,
    add_report,
    change_report,
    remove_report,
)
from app.undo import Edited
from app.workspace import Workspace

_WHAT = "Here you will compose a report: figures, findings and tables, as a web page or a PDF."
_CHANGE, _ADD, _REMOVE = "change report", "add report", "remove report"
_PAGES = "report pages"
_OFFER = "report offer"
_PAGES_DELAY_MS = 300


class ReportPresenter(Presenter):
    """Keeps the composition, hands every change to the project, and asks for the pages."""

    view_module = "app.views.report_view"
    reload_on = frozenset({"project"})
    needed = frozenset({"report", "template"})
    report_export_wished = Signal(str)  # html or pdf
    removal_wished = Signal(str)  # the report's name

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.composition: Composition | None = None
        self.entry: ReportEntry | None = None  # None: the report is not kept in the project
        self._reports: tuple[ReportEntry, ...] = ()
        self._names = ReportNames()
        self._templates: tuple[tuple[str, str, str], ...] = ()
        self._wanted: int | None = None  # the report to show
        self._preview: Any = None
        self._offered: object = None  # what the offer on the screen was made from
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_PAGES_DELAY_MS)
        self._delay.timeout.connect(self._ask_for_pages)
        workspace.drawer.failed.connect(self._on_drawing_failed)
        workspace.undo.edited.connect(self._on_edited)
        workspace.undo.failed.connect(self._on_edit_failed)
        workspace.project_changed.connect(self._on_project)

    def make_view(self) -> QWidget:
        from app.views.report_view import ReportView

        view = ReportView()
        view.set_figures(self.workspace.figure_pictures)
        view.block_added.connect(self._on_block_added)
        view.block_edited.connect(self._on_block_edited)
        view.block_removed.connect(self._on_block_removed)
        view.order_changed.connect(self._on_order)
        view.titles_edited.connect(self._on_titles)
        view.pages_wanted.connect(self._ask_for_pages)
        view.bar.report_chosen.connect(self.show_report)
        view.bar.template_chosen.connect(self.begin)
        view.bar.renamed.connect(self._on_renamed)
        view.bar.removal_wished.connect(self._on_removal_wished)
        view.bar.export_wished.connect(self.report_export_wished)
        return view

    @property
    def _any_view(self) -> Any:
        return self.view

    def shown_runs(self) -> frozenset[int]:
        return frozenset(self.composition.all_runs() if self.composition is not None else ())

    def export_run(self, figure: str) -> int | None:
        return None

    def view_state(self) -> dict[str, Any]:
        return {"report": self.entry.id} if self.entry is not None else {}

    def restore_view_state(self, state: Mapping[str, Any]) -> bool:
        number = state.get("report")
        known = any(entry.id == number for entry in self._reports)
        if not known or (self.entry is not None and self.entry.id == number):
            return False
        self.show_report(int(str(number)))
        return True

    # -- reading -------------------------------------------------------------------------------
    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self._delay.stop()
        self.composition = self.entry = self._wanted = self._offered = None
        self._reports, self._preview = (), None
        for name in (_PAGES, _OFFER):
            self.workspace.drawer.forget(name)

    def load(self) -> None:
        index = self.workspace.index
        known = index is not None and (
            any(run.has_results for run in index.runs) or bool(index.findings)
        )
        if self.workspace.project is None or not known:
            self.forget("report", "template")
            self.show_missing(_WHAT, "Run an audit first: a report is made of its results.")
            return
        wanted = self._wanted if self.entry is None else self.entry.id
        self.read("report", self.workspace.backend.open_report, wanted, then=self._show)

    def _show(self, opened: OpenReport) -> None:
        self._reports, self._names = opened.reports, opened.names
        self._templates = opened.templates
        self._wanted = None
        if opened.composition is not None:
            self.entry = opened.entry
            self._show_report(opened.composition, opened.notes)
        elif self.workspace.writable:
            self.composition = self.entry = None
            self.show_empty(f"{_WHAT} It can begin with all there is.", "Compose a report",
                            "new-report")  # fmt: skip
        elif self.composition is None:
            backend = self.workspace.backend
            self.read("template", backend.template_report, None, (), then=self._show_unkept)
        else:
            self._show_report(self.composition)

    def _show_unkept(self, composition: Composition) -> None:
        """A report that exists on the screen alone: the project cannot be written to."""
        self.entry = None
        self._show_report(composition)

    def _show_report(self, composition: Composition, notes: tuple[str, ...] = ()) -> None:
        self.show_view()
        view = self._any_view
        self.composition = composition
        view.show_notes(notes)
        current = self.entry.id if self.entry is not None else None
        listed = [(entry.id, entry.name) for entry in self._reports]
        view.bar.show_templates(self._templates)
        view.bar.show_reports(listed, current, self.workspace.writable)
        self._show_composition()
        self._ask_for_pages()
        self._ask_for_offer()

    def _show_composition(self, focus: int | None = None) -> None:
        assert self.composition is not None
        titles = block_titles(self.composition, self._names)
        self._any_view.show_composition(self.composition, titles, focus)

    def _ask_for_offer(self) -> None:
        made_from = _offered_from(self.workspace.index)
        if made_from != self._offered:
            self._offered = made_from
            backend, project = self.workspace.backend, self.workspace.project
            self.workspace.drawer.load(_OFFER, backend.report_offer, project, then=self._show_offer)

    def _show_offer(self, groups: tuple[Any, ...]) -> None:
        self._any_view.show_offer(groups)

    @Slot(object)
    def _on_index(self, index: object) -> None:
        super()._on_index(index)
        if self.built and _offered_from(self.workspace.index) != self._offered:
            self.refresh()

    @Slot(object)
    def _on_results(self, runs: frozenset[int]) -> None:
        """A run goes on: its figures are drawn anew once nothing has come for a moment."""
        if runs & self.shown_runs():
            if self._active:
                self._delay.start()
            else:
                self._dirty = True

    # -- choosing and beginning ----------------------------------------------------------------
    @Slot(int)
    def show_report(self, number: int) -> None:
        """Show another report of the project."""
        self.commit()
        self.entry, self._wanted = None, number
        self.refresh()

    @Slot(str)
    def begin(self, template: str = "") -> None:
        """Begin a report with a template; without one, with what fits best."""
        if self.workspace.project is None:
            return
        self.commit()
        backend, models = self.workspace.backend, self._models(template)
        if self.workspace.writable:
            make = partial(backend.new_report, template or None, models)
            self.workspace.undo.do(_ADD, partial(add_report, make))
        else:
            self.read("template", backend.template_report, template or None, models,
                      then=self._show_unkept)  # fmt: skip

    def _models(self, template: str) -> tuple[str, ...]:
        """What a template is about: the models selected, or the active pair."""
        now = self.session.snapshot
        index = self.workspace.index
        if template == "comparison":
            pair = (now.model_a, now.model_b)
            compared = index is not None and any(
                run.has_results and run.compares(*pair) for run in index.runs
            )
            return tuple(name for name in pair if name is not None) if compared else ()
        if template == "single" and len(now.models) == 1:
            return now.models
        return ()

    @Slot()
    def _on_removal_wished(self) -> None:
        if self.entry is not None:
            self.removal_wished.emit(self.entry.name)

    def remove(self) -> None:
        """Take the report on the screen out of the project."""
        if self.entry is not None:
            self.workspace.undo.do(_REMOVE, partial(remove_report, self.entry.id))

    # -- editing -------------------------------------------------------------------------------
    def commit(self) -> None:
        """Take over what is being typed."""
        if self.built:
            self._any_view.commit()

    @Slot(object, int)
    def _on_block_added(self, block: Block, after: int) -> None:
        if self.composition is None:
            return
        if after:
            composition, added = with_block(self.composition, block, after)
        else:  # behind the title page
            composition, added = with_block(self.composition, block)
            others = [one.id for one in self.composition.blocks]
            composition = reordered(composition, [added.id, *others])
        self._change(composition, added.id)

    @Slot(object)
    def _on_block_edited(self, block: Block) -> None:
        if self.composition is not None:
            blocks = tuple(block if one.id == block.id else one for one in self.composition.blocks)
            self._change(replace(self.composition, blocks=blocks))

    @Slot(int)
    def _on_block_removed(self, number: int) -> None:
        if self.composition is not None:
            blocks = tuple(one for one in self.composition.blocks if one.id != number)
            self._change(replace(self.composition, blocks=blocks))

    @Slot(object)
    def _on_order(self, ids: tuple[int, ...]) -> None:
        if self.composition is not None:
            self._change(reordered(self.composition, ids))

    @Slot(str, str)
    def _on_titles(self, title: str, subtitle: str) -> None:
        if self.composition is not None:
            self._change(replace(self.composition, title=title, subtitle=subtitle))

    @Slot(str)
    def _on_renamed(self, name: str) -> None:
        if self.entry is not None and self.composition is not None:
            self._keep(self.entry.id, name, self.composition, own=False)

    def _change(self, composition: Composition, focus: int | None = None) -> None:
        """Show a change at once, and keep it."""
        if composition == self.composition:
            return
        self.composition = composition
        self._show_composition(focus)
        self._any_view.pages.show_working()
        self._delay.start()
        if self.entry is not None and self.workspace.writable:
            self._keep(self.entry.id, self.entry.name, composition, own=True)

    def _keep(self, number: int, name: str, composition: Composition, own: bool) -> None:
        step = partial(change_report, number, name, composition_to_json(composition), own)
        self.workspace.undo.do(_CHANGE, step)

    @Slot(object)
    def _on_edited(self, edited: Edited) -> None:
        """A report has come or gone, an edit was taken back or made again, or a name is another."""
        answer = edited.answer
        if isinstance(answer, ReportAdded):
            self._forget_report()
            self._wanted = answer.number  # it is what one wants to see now
            self.refresh()
            return
        if isinstance(answer, ReportRemoved):
            if self.entry is not None and self.entry.id == answer.number:
                self._forget_report()
            self.refresh()
            return
        if not isinstance(answer, ReportEdited) or answer.own:
            return
        if self.entry is None or self.entry.id != answer.number or not self._active:
            self._dirty = True
            return
        if composition_to_json(self.composition or Composition()) != answer.composition:
            self.composition, _ = composition_from_json(answer.composition)
        self.refresh()

    def _forget_report(self) -> None:
        self._delay.stop()
        self.composition = self.entry = None

    @Slot(object, str)
    def _on_edit_failed(self, _problem: Problem, what: str) -> None:
        if what in (_CHANGE, _ADD, _REMOVE) and self._active:
            self.refresh()  # what the project holds counts

    # -- pages ---------------------------------------------------------------------------------
    @Slot()
    def _ask_for_pages(self) -> None:
        if self.composition is None or not self._active or self.workspace.project is None:
            return
        if self._preview is None:
            self._preview = self.workspace.backend.report_preview()
        view = self._any_view
        view.pages.show_working()
        self.workspace.drawer.load(
            _PAGES,
            self._preview.pages,
            self.workspace.project,
            self.composition,
            view.pages.pixels_per_inch(),
            then=self._show_pages,
        )

    def _show_pages(self, answer: Any) -> None:
        self._any_view.show_pages(answer.pages, answer.missing, answer.starts)
        if answer.missing and not self._delay.isActive():
            self._ask_for_pages()

    @Slot(str, object)
    def _on_drawing_failed(self, name: str, problem: Problem) -> None:
        if name == _PAGES and self.built:
            self._any_view.pages.show_problem(problem.text)
        elif name == _OFFER:
            self.workspace.problem_found.emit(problem, "what can be added")


def _offered_from(index: ProjectIndex | None) -> object:
    """What decides what can be added; how far a run has come does not."""
    if index is None:
        return None
    runs = [(run.id, run.name, run.has_results, run.state) for run in index.runs]
    return runs, index.findings, [model.name for model in index.models]
