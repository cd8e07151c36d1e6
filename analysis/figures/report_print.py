"""The report as a PDF, set by Typst from a template: names reach it as data, never as markup."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from analysis.figures.report_parts import ReportContent

_TEMPLATE = Path(__file__).with_name("report.typ")


def report_print(content: ReportContent) -> bytes:
    """The PDF's bytes; the same content gives the same bytes. Works without a network."""
    import matplotlib
    import typst

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.typ").write_bytes(_TEMPLATE.read_bytes())
        (root / "report.json").write_text(_plain_json(content, root), encoding="utf-8")
        compiler = typst.Compiler(str(root / "report.typ"), root=str(root), font_paths=[str(fonts)])
        pdf = compiler.compile(format="pdf")
    if not isinstance(pdf, bytes):
        raise RuntimeError("Typst gave no document")
    return pdf


def _plain_json(content: ReportContent, root: Path) -> str:
    """The content with each picture's data written to a file beside it."""
    whole = asdict(content)
    amount = 0
    for section in whole["sections"]:
        for picture in section["pictures"]:
            amount += 1
            name = f"picture-{amount}.{picture['format']}"
            (root / name).write_bytes(picture.pop("data"))
            picture["file"] = name
    return json.dumps(whole)
