"""The report as printed pages, set by Typst from a template: names reach it as data, never as
markup."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from analysis.figures import fonts
from analysis.figures.report_document import FindingCard, NumberedFigure, ReportDocument
from analysis.figures.report_typesetting import Typesets, Typesetter, TypesetterApart

_TEMPLATE = Path(__file__).with_name("report.typ")


class ReportPrinter:
    """Sets documents; what has not changed since the last one is not done again.

    Works without a network. The same document gives the same bytes.
    """

    def __init__(self, apart: bool = False) -> None:
        """`apart`: in a process of its own, so that this one does not grow with every page."""
        import matplotlib

        self._root = Path(tempfile.mkdtemp(prefix="parallax-report-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
        self._written: set[str] = set()
        (self._root / "report.typ").write_bytes(_TEMPLATE.read_bytes())
        (self._root / "report.json").write_text("{}", encoding="utf-8")
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        kind = TypesetterApart if apart else Typesetter
        self._typesetter: Typesets = kind(self._root, fonts)

    def pdf(self, document: ReportDocument) -> bytes:
        """The PDF's bytes."""
        self._put(document)
        return self._typesetter.pdf()

    def pages(
        self, document: ReportDocument, pixels_per_inch: float
    ) -> tuple[tuple[bytes, ...], dict[int, int]]:
        """Every page as a PNG, and on which page, from 1 on, each block begins, by its id."""
        self._put(document)
        pages, places = self._typesetter.pages(pixels_per_inch)
        return pages, {entry["block"]: entry["page"] for entry in places}

    def close(self) -> None:
        """End what sets the pages, and remove the temporary files."""
        self._typesetter.close()
        self._remove()

    def _put(self, document: ReportDocument) -> None:
        used: set[str] = set()
        parts = [self._plain(part, used) for part in document.parts]
        for place, number in document.starts:
            parts[place].setdefault("blocks", []).append(number)
        whole = {**asdict(replace(document, parts=())), "parts": parts}
        found = fonts.cover(_texts(whole), drawable=False)
        whole["fonts"] = list(found.families)
        whole["missing_signs"] = fonts.missing_words(found.missing)
        for name in self._written - used:
            (self._root / name).unlink(missing_ok=True)
        self._written = used
        (self._root / "report.json").write_text(json.dumps(whole), encoding="utf-8")

    def _plain(self, part: Any, used: set[str]) -> dict[str, Any]:
        """A part as JSON values, its picture in a file named by its contents."""
        values = {"kind": type(part).__name__, **asdict(part)}
        if isinstance(part, NumberedFigure):
            values["file"] = self._file(values.pop("data"), part.format, used)
        elif isinstance(part, FindingCard):
            values["file"] = self._file(values.pop("picture"), "png", used)
        return values

    def _file(self, data: bytes, suffix: str, used: set[str]) -> str:
        if not data:
            return ""
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
        if name not in self._written and name not in used:
            (self._root / name).write_bytes(data)
        used.add(name)
        return name


def _texts(value: Any) -> Iterator[str]:
    """All texts in JSON values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def report_print(document: ReportDocument, apart: bool = False) -> bytes:
    """The PDF's bytes; the same document gives the same bytes. `apart`: see `ReportPrinter`."""
    printer = ReportPrinter(apart)
    try:
        return printer.pdf(document)
    finally:
        printer.close()
