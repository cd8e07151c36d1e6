"""Figures as files: which kinds a quick run writes, and what a file says of where it is from."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis.figures.export import export_figure_table
from analysis.project import Project
from tests.figures.drawn import figure_table

FORMATS = ("svg", "pdf", "png")
_SVG = "{http://www.w3.org/2000/svg}"
_TERMS = "{http://purl.org/dc/elements/1.1/}"


def each_in_every_format(names: Iterable[str]) -> list[Any]:
    """(name, format); quick are each figure in one format, and each format by some figure."""
    return [
        pytest.param(name, format, marks=() if (place - at) % 3 == 0 else pytest.mark.slow)
        for place, name in enumerate(names)
        for at, format in enumerate(FORMATS)
    ]


def each_in_every_width(names: Iterable[str], widths: tuple[int, ...] = (85, 175)) -> list[Any]:
    """(name, width in mm); quick is the first width, in which there is the least room."""
    return [
        pytest.param(name, width, marks=() if width == widths[0] else pytest.mark.slow)
        for name in names
        for width in widths
    ]


def checked_provenance(file: Path, width_mm: float, dpi: float) -> dict[str, Any]:
    """What a file says of where it is from, after a look at whether it is whole."""
    return {".svg": _of_svg, ".pdf": _of_pdf, ".png": _of_png}[file.suffix](file, width_mm, dpi)


def svg_texts(file: Path) -> list[str]:
    root = ElementTree.parse(file).getroot()
    return ["".join(element.itertext()).strip() for element in root.iter(f"{_SVG}text")]


def _of_svg(file: Path, _width_mm: float, _dpi: float) -> dict[str, Any]:
    root = ElementTree.parse(file).getroot()
    assert len(svg_texts(file)) > 3  # text is text, not outlines
    assert next(root.iter(f"{_TERMS}date"), None) is None
    description = next(root.iter(f"{_TERMS}description"))
    return json.loads(description.text or "")


def _of_pdf(file: Path, _width_mm: float, _dpi: float) -> dict[str, Any]:
    data = file.read_bytes()
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"/Type0" in data or b"/TrueType" in data  # text is text, not outlines
    assert b"CreationDate" not in data
    keywords = re.search(rb"/Keywords \((.*?)(?<!\\)\)\s*(?:/|>>)", data, re.DOTALL)
    assert keywords is not None
    return json.loads(re.sub(rb"\\([()\\])", rb"\1", keywords.group(1)).decode())


def _of_png(file: Path, width_mm: float, dpi: float) -> dict[str, Any]:
    with Image.open(file) as picture:
        picture.load()
        assert picture.width == pytest.approx(width_mm / 25.4 * dpi, abs=1)
        return json.loads(picture.text["Parallax"])  # type: ignore[attr-defined]


def checked_table_provenance(project: Project, name: str, folder: Path) -> dict[str, Any]:
    """What the numbers of a figure say of where they are from; CSV and JSON hold all of them."""
    columns, rows = figure_table(project, name)
    assert rows
    out = export_figure_table(project, name, folder / "t.csv")
    with open(out, newline="", encoding="utf-8") as file:
        read = list(csv.reader(file))
    assert tuple(read[0]) == columns
    assert len(read) == len(rows) + 1
    out = export_figure_table(project, name, folder / "t.json")
    whole = json.loads(out.read_text("utf-8"), parse_constant=pytest.fail)
    assert len(whole["rows"]) == len(rows)
    return whole["provenance"]
