"""Writing a figure or a table to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QSignalBlocker, QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from analysis.figures.words import plain, shorten
from app import theme
from app.backend_export import FigureChoice, FigureRequest
from app.dialogs.figure_options import FigureOptions
from app.dialogs.figure_preview import FigurePreview
from app.dialogs.form import FormDialog, PathField
from app.problems import Problem
from app.project_index import RunEntry
from app.widgets.figure_source import KEY_ROLE, FigureComboBox, FigureKey
from app.workspace import Workspace

if TYPE_CHECKING:
    from analysis.figures.saliency_data import Explanation

_FIGURE_SUFFIXES = (".svg", ".pdf", ".png", ".csv", ".json")
_TABLE_SUFFIXES = (".csv", ".json")
_NUMBERS = frozenset(_TABLE_SUFFIXES)
_EXPORT = "export"
_CHOICES = "export choices"
_FIELDS = "export fields"
_PREVIEW = "export preview"
_PREVIEW_DELAY_MS = 300
_PICTURE = (92, 62)
_LONGEST_NAME = 60  # characters of a picture's name
_ANY_WIDTH = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


@dataclass(frozen=True)
class ExportWish:
    """What a view asked for: a figure of the registry, a format, and how it is shown now.

    `explanation`: the picture that the figures are made of, in place of a run.
    """

    figure: str = ""
    form: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    explanation: Explanation | None = field(default=None, compare=False, repr=False)


class ExportDialog(FormDialog):
    """Chooses what, of which run, and where to; stays open if writing fails.

    A figure is shown beside the form as it will be written: its size, what it shows. Of a picture
    that was explained outside of any run there is no run to choose.
    """

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
        explanation = wanted.explanation if wanted is not None else None
        of = f" of “{shorten(plain(explanation.name), _LONGEST_NAME)}”" if explanation else ""
        super().__init__(f"Export a {kind}{of}", "Export", parent)
        self._workspace = workspace
        self._kind = kind
        self._explanation = explanation
        self._suffixes = _FIGURE_SUFFIXES if kind == "figure" else _TABLE_SUFFIXES
        self._path_by_user = False
        self._wanted = wanted or ExportWish()
        self._shown_run = run
        self.what = FigureComboBox()
        self.what.setAccessibleName(f"Which {kind}")
        self.run = QComboBox()
        self.run.setAccessibleName("Of which run")
        for choice in (self.what, self.run):
            choice.setSizeAdjustPolicy(_ANY_WIDTH)
            choice.setMinimumContentsLength(24)
            choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        pattern = " ".join(f"*{suffix}" for suffix in self._suffixes)
        self.path = PathField("file to write", "save", f"{kind.title()} ({pattern})")
        self.form.addRow(kind.title(), self.what)
        self.form.addRow("Run", self.run)
        self.form.addRow("File", self.path)
        self.form.setRowVisible(self.run, explanation is None)
        self.options = FigureOptions()
        self.preview = FigurePreview()
        self._preview_timer = QTimer(self)
        self._preview_timer.setSingleShot(True)
        self._preview_timer.setInterval(_PREVIEW_DELAY_MS)
        self._preview_timer.timeout.connect(self._draw_preview)
        if kind == "figure":
            self._build_figure_part()
        if kind == "figure" and explanation is None:
            self._show_figures_small()
        self._fill_runs()
        self.what.currentIndexChanged.connect(self._on_what)
        self.run.currentIndexChanged.connect(self._suggest)
        self.path.changed.connect(self._check)
        self.path.edit.textEdited.connect(self._on_path_edited)
        workspace.loader.failed.connect(self._on_failed)
        workspace.drawer.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self.say("Reading what there is…")
        backend, load = workspace.backend, workspace.loader.load
        if explanation is not None:
            load(_CHOICES, backend.explained_choices, explanation, then=self._show_choices)
        elif kind == "figure":
            load(_CHOICES, backend.figure_choices, then=self._show_choices)
        else:
            load(_CHOICES, backend.table_choices, workspace.project, then=self._show_choices)

    def _build_figure_part(self) -> None:
        """The form and what else can be chosen on the left, the figure itself on the right."""
        self.options.changed.connect(self._on_options)
        self.column.removeItem(self.form)
        left = QVBoxLayout()
        left.setSpacing(theme.PADDING)
        left.addLayout(self.form)
        left.addWidget(self.options, 1)
        columns = QHBoxLayout()
        columns.setSpacing(theme.PADDING)
        columns.addLayout(left, 5)
        columns.addWidget(self.preview, 7)
        self.column.insertLayout(0, columns, 1)
        self.resize(1040, 560)

    def _show_figures_small(self) -> None:
        """In the list of figures each is seen as it is of its newest run."""
        self.what.set_figures(self._workspace.figure_pictures, _PICTURE)
        self.what.setMaxVisibleItems(8)

    def _key(self, choice: FigureChoice) -> FigureKey | None:
        """Of the run shown if the figure is of its audit, else of the newest that fits."""
        shown = self._workspace.run(self._shown_run)
        fits = shown is not None and shown.audit in choice.audits and shown.has_results
        return FigureKey(choice.name, self._shown_run if fits else None)

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
                self.what.setItemData(self.what.count() - 1, self._key(choice), KEY_ROLE)
                if choice.name == self._wanted.figure:
                    self.what.setCurrentIndex(self.what.count() - 1)
        self._on_what()

    @Slot()
    def _on_what(self) -> None:
        choice = self.what.currentData()
        self._fill_runs()
        if self._kind == "figure" and choice is not None:
            workspace = self._workspace
            workspace.loader.load(
                _FIELDS, workspace.backend.figure_fields, choice.name, then=self._show_fields
            )
        self._suggest()

    def _show_fields(self, fields: tuple[Any, ...]) -> None:
        self.options.show_fields(fields, self._given())
        self._ask_for_preview()

    def _given(self) -> Mapping[str, object]:
        """What the view that asked has chosen, if its own figure is the one to write."""
        choice = self.what.currentData()
        if choice is None or choice.name != self._wanted.figure:
            return {}
        return self._wanted.parameters

    @Slot()
    def _suggest(self) -> None:
        project, choice = self._workspace.project, self.what.currentData()
        if project is not None and choice is not None and not self._path_by_user:
            stem = f"{Path(project.path).stem}-{choice.name}"
            if self._explanation is not None:
                stem = f"{Path(project.path).stem}-{file_stem(self._explanation.name)}"
                stem += f"-{choice.name}"
            elif self.run.currentData() is not None:
                stem += f"-run-{self.run.currentData()}"
            suffix = f".{self._wanted.form}" if self._wanted.form else self._suffixes[0]
            self.path.set_text(str(Path(project.path).parent / (stem + suffix)))
        self._check()
        self._ask_for_preview()

    @Slot(str)
    def _on_path_edited(self, text: str) -> None:
        self._path_by_user = bool(text.strip())

    @Slot()
    def _on_options(self) -> None:
        self._check()
        self._ask_for_preview()

    @Slot()
    def _check(self) -> None:
        path = self.path.path()
        suffix = "" if path is None else path.suffix.lower()
        self.options.set_sized(suffix not in _NUMBERS, pixels=suffix == ".png")
        if self.what.currentData() is None:
            self.say(f"There is no {self._kind} to export yet.")
        elif self._without_run():
            self.say("No run has results for this figure yet.")
        elif path is None:
            self.say("Choose the file to write.")
        elif suffix not in self._suffixes:
            self.say(f"The file name must end in {', '.join(self._suffixes)}.")
        else:
            self.say("", "An existing file is replaced." if _exists(path) else "")

    def _without_run(self) -> bool:
        """Whether a run is needed and there is none."""
        return self._explanation is None and self.run.count() == 0

    # -- preview -------------------------------------------------------------------------------
    def _ask_for_preview(self) -> None:
        if self._kind == "figure":
            self._preview_timer.start()

    @Slot()
    def _draw_preview(self) -> None:
        project, wanted = self._workspace.project, self._request()
        if project is None or wanted is None or self._without_run():
            self._workspace.drawer.forget(_PREVIEW)
            self.preview.show_text("No run has results for this figure yet.")
            return
        self.preview.set_drawing()
        draw = self._workspace.backend.figure_preview
        self._workspace.drawer.load(_PREVIEW, draw, project, wanted, then=self._show_preview)

    def _show_preview(self, picture: bytes) -> None:
        self.preview.show_picture(picture)
        self._check()

    def _request(self) -> FigureRequest | None:
        choice = self.what.currentData()
        if choice is None:
            return None
        hidden = {
            name: value for name, value in self._given().items() if name not in self.options.names()
        }
        return FigureRequest(
            choice.name,
            self.run.currentData(),
            {**hidden, **self.options.values()},
            self.options.width_mm(),
            self.options.dpi(),
            self._explanation,
        )

    # -- writing -------------------------------------------------------------------------------
    def accept(self) -> None:
        path, project = self.path.path(), self._workspace.project
        if path is None or project is None or not self.accept_button.isEnabled():
            return
        self.accept_button.setEnabled(False)
        self.say("", "Writing…")
        self.accept_button.setEnabled(False)
        backend, wanted = self._workspace.backend, self._request()
        if self._kind == "figure" and wanted is not None:
            write = partial(backend.export_figure, project, wanted, path)
        else:
            kind: Literal["csv", "json"] = "json" if path.suffix.lower() == ".json" else "csv"
            name, run = self.what.currentData().name, self.run.currentData()
            write = partial(backend.export_table, project, name, path, kind, run)
        self._workspace.loader.load(_EXPORT, write, then=self._on_written)

    def _on_written(self, _answer: object) -> None:
        self.exported.emit(self.path.path())
        super().accept()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _PREVIEW:
            self.preview.show_text(problem.text)
        elif name in (_EXPORT, _CHOICES, _FIELDS):
            self.say_problem(problem)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()

    def done(self, result: int) -> None:
        """Nobody waits for the picture any more."""
        self._preview_timer.stop()
        self._workspace.drawer.forget(_PREVIEW)
        super().done(result)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def file_stem(name: str) -> str:
    """A picture's name without its suffix, as part of the name of a file on any machine."""
    kept = "".join(sign if sign.isalnum() or sign in "-_. " else "_" for sign in Path(name).stem)
    return kept[:_LONGEST_NAME].strip(" .") or "picture"


def _run_words(run: RunEntry) -> str:
    return f"{run.name} · {run.about} (run {run.id})"
