"""Typst here and in another process: the same pages, and nothing that outlives its need."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import psutil
import pytest

from analysis.errors import AuditError
from analysis.figures import report_typesetting
from analysis.figures.report_typesetting import Typesetter, TypesetterApart

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SHEET = """#set document(date: none)
#set page(width: 60mm, height: 40mm)
#let data = json("report.json")
#context [#metadata((block: 7, page: here().page())) <block>]
#data.text
#pagebreak()
Second page
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "report.typ").write_text(SHEET, encoding="utf-8")
    (tmp_path / "report.json").write_text('{"text": "first"}', encoding="utf-8")
    return tmp_path


def test_apart_it_is_the_same(root: Path) -> None:
    here, apart = Typesetter(root, FONTS), TypesetterApart(root, FONTS)
    try:
        assert apart.pages(50) == here.pages(50)
        pages, places = apart.pages(50)
        assert len(pages) == 2
        assert all(page.startswith(b"\x89PNG") for page in pages)
        assert places == [{"block": 7, "page": 1}]
        assert apart.pdf() == here.pdf()
        (root / "report.json").write_text('{"text": "another"}', encoding="utf-8")
        changed, _ = apart.pages(50)
        assert changed[0] != pages[0]
        assert changed[1] == pages[1]
    finally:
        apart.close()


def test_a_mistake_is_said_and_the_next_time_it_works(root: Path) -> None:
    apart = TypesetterApart(root, FONTS)
    try:
        (root / "report.json").write_text("{", encoding="utf-8")
        with pytest.raises(RuntimeError, match="JSON"):
            apart.pdf()
        (root / "report.json").write_text('{"text": "whole"}', encoding="utf-8")
        assert apart.pdf().startswith(b"%PDF")
    finally:
        apart.close()


def test_a_process_that_dies_is_said_and_replaced(root: Path) -> None:
    apart = TypesetterApart(root, FONTS)
    try:
        apart.pdf()
        assert apart.process is not None
        psutil.Process(apart.process.pid).kill()
        with pytest.raises(AuditError, match="has ended"):
            apart.pdf()
        assert apart.pdf().startswith(b"%PDF")
    finally:
        apart.close()


def test_one_that_has_grown_too_large_makes_room(root: Path, monkeypatch) -> None:
    apart = TypesetterApart(root, FONTS)
    try:
        apart.pdf()
        process = apart.process
        assert process is not None
        monkeypatch.setattr(report_typesetting, "_LARGEST_BYTES", 1)
        assert apart.pdf().startswith(b"%PDF")
        assert apart.process is None
        assert not process.is_alive()
    finally:
        apart.close()


def test_nobody_is_left_when_it_is_closed_or_forgotten(root: Path) -> None:
    apart = TypesetterApart(root, FONTS)
    apart.pdf()
    process = apart.process
    assert process is not None
    apart.close()
    apart.close()
    assert not process.is_alive()
    apart.pdf()
    process = apart.process
    assert process is not None
    del apart
    assert not process.is_alive()
