"""The part of the door to the analysis that writes figures and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.project import Project

if TYPE_CHECKING:
    from analysis.figures.saliency_data import Explanation

_TABLE_SUFFIXES = (".csv", ".json")
_PREVIEW_DPI = 110.0


@dataclass(frozen=True)
class FigureChoice:
    """One figure or table that can be exported."""

    name: str
    title: str
    audits: tuple[str, ...] = ()  # whose runs it shows; empty: any


@dataclass(frozen=True)
class FigureRequest:
    """A figure as it is wanted: of which run, showing what, how large.

    :param run: the newest that fits when None.
    :param parameters: of the figure, as values or texts.
    :param width_mm: of the whole figure; `dpi`: of a PNG, and of pixels inside other files.
    :param explanation: of which the figure is made in place of a run.
    """

    name: str
    run: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    width_mm: float = 175.0
    dpi: float = 300.0
    explanation: Explanation | None = field(default=None, compare=False, repr=False)


class ExportBackend:
    """Figures and tables as files."""

    _small_pictures: Any = None

    def figure_choices(self) -> tuple[FigureChoice, ...]:
        from analysis.figures.export import FIGURES

        return tuple(
            FigureChoice(d.name, d.title, (d.audit, *d.more_audits)) for d in FIGURES.values()
        )

    def explained_choices(self, explanation: Explanation) -> tuple[FigureChoice, ...]:
        """The figures that can be made of a picture explained outside of any run."""
        from analysis.figures.explained import explained_figures

        return tuple(FigureChoice(d.name, d.title) for d in explained_figures(explanation))

    def figure_fields(self, name: str) -> tuple[Any, ...]:
        """What can be chosen about a figure; see `analysis.audits.parameters.ParameterField`."""
        from analysis.audits.parameters import parameter_fields
        from analysis.figures.explained import EXPLAINED_FIGURES
        from analysis.figures.export import FIGURES

        if name in EXPLAINED_FIGURES:
            return parameter_fields(EXPLAINED_FIGURES[name].parameters)
        return parameter_fields(FIGURES[name].parameters)

    def figure_preview(self, project: Project, wanted: FigureRequest) -> bytes:
        """The figure as a small PNG, at the size it will have on paper."""
        from analysis.figures import explained, export

        if wanted.explanation is not None:
            return explained.explained_bytes(
                project,
                wanted.explanation,
                wanted.name,
                "png",
                wanted.width_mm,
                _PREVIEW_DPI,
                **wanted.parameters,
            )
        prepared = export.prepare_figure(project, wanted.name, wanted.run, **wanted.parameters)
        return export.render_bytes(project, prepared, "png", wanted.width_mm, _PREVIEW_DPI)

    def small_picture(
        self, project: Project, name: str, run: int | None, parameters: Mapping[str, Any]
    ) -> bytes:
        """A figure as a small PNG; those drawn last are kept. For one thread alone."""
        from analysis.figures.small_pictures import SmallPictures

        if self._small_pictures is None:
            self._small_pictures = SmallPictures()
        found: bytes = self._small_pictures.picture(project, name, run, parameters)
        return found

    def export_figure(self, project: Project, wanted: FigureRequest, out: Path) -> None:
        """Write a figure, or with the suffix .csv or .json the numbers behind it."""
        from analysis.figures import explained, export

        if wanted.explanation is not None:
            explained.export_explained(
                project,
                wanted.explanation,
                wanted.name,
                out,
                wanted.width_mm,
                wanted.dpi,
                **wanted.parameters,
            )
            return
        if out.suffix.lower() in _TABLE_SUFFIXES:
            export.export_figure_table(project, wanted.name, out, wanted.run, **wanted.parameters)
            return
        export.export_figure(
            project,
            wanted.name,
            out,
            wanted.run,
            wanted.width_mm,
            wanted.dpi,
            **wanted.parameters,
        )

    def table_choices(self, project: Project) -> tuple[FigureChoice, ...]:
        from analysis.project import tables

        return tuple(
            FigureChoice(name, f"{name} ({rows} rows)")
            for name, rows, _columns in tables.table_names(project)
        )

    def export_table(
        self, project: Project, name: str, out: Path, kind: Literal["csv", "json"], run: int | None
    ) -> None:
        from analysis.project import tables

        tables.export_table(project, name, out, kind, run=run)
