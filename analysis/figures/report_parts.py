"""The parts of a report: plain text, tables and pictures, and how they are made of a run."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.figures.export import PreparedFigure, render_bytes
from analysis.figures.provenance import json_value
from analysis.figures.words import plain

if TYPE_CHECKING:
    from analysis.project import Project

_PHOTOGRAPH_DPI = 220


@dataclass(frozen=True)
class Picture:
    """A rendered figure: `format` is svg or jpeg; `text` says in words what it shows."""

    format: str
    data: bytes
    text: str
    caption: str


@dataclass(frozen=True)
class ReportTable:
    """A small table of texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TitledTable:
    """A table of results with its heading; `widths`: of the columns in print, as shares."""

    title: str
    table: ReportTable
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """A chapter of the report: what was done, what came out, and how to read it."""

    title: str
    paragraphs: tuple[str, ...]
    how_to_read: tuple[str, ...]
    pictures: tuple[Picture, ...]
    parameters: ReportTable
    tables: tuple[TitledTable, ...] = ()


@dataclass(frozen=True)
class ReportContent:
    """The whole report."""

    title: str
    summary: tuple[str, ...]
    models: ReportTable
    images: ReportTable
    runs: ReportTable
    sections: tuple[Section, ...]
    problems: ReportTable
    limits: tuple[str, ...]
    commands: tuple[str, ...]
    written_by: str


def parameters_table(run: Any) -> ReportTable:
    """A run's parameters, seed and the versions it was made with."""
    rows = [
        (
            name,
            plain(json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value),
        )
        for name, value in sorted((json_value(run["parameters"]) or {}).items())
        if value != ""
    ]
    if run["seed"] is not None:
        rows.append(("seed of the run", str(run["seed"])))
    versions = json_value(run["versions"]) or {}
    if isinstance(versions, dict):
        rows += [(f"version of {plain(name)}", plain(versions[name])) for name in sorted(versions)]
    return ReportTable(("parameter", "value"), tuple(rows))


def state_sentence(run: Any) -> str:
    if run["state"] == "done":
        return ""
    return f" This run is {run['state']}: the numbers are those of the part that is done."


def drawing(project: Project, prepared: PreparedFigure, text: str, caption: str) -> Picture:
    """A figure of lines and words, as an SVG that looks alike everywhere."""
    data = render_bytes(project, prepared, "svg", svg_text="paths")
    return Picture("svg", data, text, caption)


def photographs(project: Project, prepared: PreparedFigure) -> bytes:
    """A figure that is mostly photographs as a JPEG, which keeps the report small."""
    from PIL import Image

    png = render_bytes(project, prepared, "png", dpi=_PHOTOGRAPH_DPI)
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()
