"""Figures and their tables as files."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.figures.definitions_comparison import COMPARISON_FIGURES
from analysis.figures.export import export_figure, export_figure_table, figure_table
from analysis.figures.files import write_atomically

_FIGURES = [definition.name for definition in COMPARISON_FIGURES]
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", _FIGURES)
def test_png_opens_and_carries_its_provenance(made_up, tmp_path, name):
    out = export_figure(made_up.project, name, tmp_path / "figure.png", width_mm=85, dpi=100)
    with Image.open(out) as picture:
        picture.load()
        assert picture.width == pytest.approx(85 / 25.4 * 100, abs=1)
        provenance = json.loads(picture.text["Parallax"])
    _check_provenance(provenance, name, made_up)


@pytest.mark.parametrize("name", _FIGURES)
def test_svg_is_xml_with_text_and_provenance(made_up, tmp_path, name):
    out = export_figure(made_up.project, name, tmp_path / "figure.svg", width_mm=175)
    root = ElementTree.parse(out).getroot()
    texts = {"".join(element.itertext()).strip() for element in root.iter(f"{_SVG}text")}
    assert any("ResNet-18" in text for text in texts)
    description = next(root.iter("{http://purl.org/dc/elements/1.1/}description"))
    _check_provenance(json.loads(description.text), name, made_up)
    assert next(root.iter("{http://purl.org/dc/elements/1.1/}date"), None) is None


@pytest.mark.parametrize("name", _FIGURES)
def test_pdf_has_its_header_fonts_and_provenance(made_up, tmp_path, name):
    data = export_figure(made_up.project, name, tmp_path / "figure.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"/Type0" in data or b"/TrueType" in data  # text is text, not outlines
    assert b"CreationDate" not in data
    keywords = re.search(rb"/Keywords \((.*?)(?<!\\)\)\s*(?:/|>>)", data, re.DOTALL)
    assert keywords is not None
    text = re.sub(rb"\\([()\\])", rb"\1", keywords.group(1)).decode()
    _check_provenance(json.loads(text), name, made_up)


def _check_provenance(provenance: dict, name: str, made_up) -> None:
    assert provenance["figure"] == name
    assert provenance["project"] == "made up"
    run = made_up.layers_run if name == "layers" else made_up.concepts_run
    assert provenance["run"] == run
    assert provenance["run_parameters"]["preset"] == "paper"
    assert provenance["seed"] == 7
    assert provenance["versions"]["torch"] == "2.9.0"
    assert [model["weights_sha256"] for model in provenance["models"]] == ["0" * 64, "1" * 64]
    assert provenance["models"][0]["specification"].endswith("@0.pth")
    assert provenance["images"]["count"] == 18
    assert re.fullmatch("[0-9a-f]{64}", provenance["images"]["sha256"])
    assert "someone" not in json.dumps(provenance)


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_equal_projects_give_equal_bytes(made_up, tmp_path, suffix):
    """Also in another process, where texts have other hashes."""
    first = tmp_path / f"first.{suffix}"
    export_figure(made_up.project, "concept", first, dpi=60)
    second = tmp_path / f"second.{suffix}"
    code = (
        "import sys; from pathlib import Path; from analysis.project import Project;"
        "from analysis.figures.export import export_figure;"
        "project = Project.open(Path(sys.argv[1]), read_only=True);"
        "export_figure(project, 'concept', Path(sys.argv[2]), dpi=60); project.close()"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "MPLCONFIGDIR": matplotlib.get_cachedir(),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run(
        [sys.executable, "-c", code, str(made_up.project.path), str(second)],
        check=True,
        env=environment,
        timeout=120,
    )
    assert first.read_bytes() == second.read_bytes()


def test_figure_parameters_reach_the_file(made_up, tmp_path):
    out = export_figure(
        made_up.project, "layers", tmp_path / "a.png", dpi=60, measure="cka", depth="true"
    )
    with Image.open(out) as picture:
        provenance = json.loads(picture.text["Parallax"])
    assert provenance["figure_parameters"] == {"measure": "cka", "depth": True}


def test_what_cannot_be_exported_says_why(made_up, tmp_path):
    project = made_up.project
    cases = [
        ("layers", "a.tiff", {}),
        ("layers", "a", {}),
        ("histogram", "a.png", {}),
        ("layers", "a.png", {"measure": "cosine"}),
        ("layers", "a.png", {"colour": "red"}),
        ("layers", "a.png", {"run": made_up.concepts_run}),
        ("layers", "a.png", {"run": 77}),
        ("layers", "a.png", {"width_mm": 5}),
        ("layers", "a.png", {"dpi": 100000}),
        ("concept", "a.png", {"concept": 4711}),
        ("concept", "a.png", {"concept": 1, "run": made_up.layers_run}),
        ("concepts", "a.png", {"class_name": "unicorn"}),
        ("layers", "missing/a.png", {}),
    ]
    for name, file, options in cases:
        with pytest.raises(AuditError) as caught:
            export_figure(project, name, tmp_path / file, **options)
        assert caught.value.hint, (name, options)
    assert not list(tmp_path.glob("a*"))


@pytest.mark.parametrize("name", _FIGURES)
def test_empty_run_is_an_error_with_a_hint(made_up, tmp_path, name):
    with made_up.project.transaction() as connection:
        for table in ("concept", "concept_similarity", "replacement", "layer_similarity"):
            connection.execute(f"DELETE FROM {table}")
    run = made_up.layers_run if name == "layers" else made_up.concepts_run
    for chosen in (None, run):
        with pytest.raises(AuditError, match="no results") as caught:
            export_figure(made_up.project, name, tmp_path / "a.svg", run=chosen)
        assert "parallax run FILE" in caught.value.hint
    assert not (tmp_path / "a.svg").exists()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "figure.svg"
    out.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AuditError, match="No space left"):
        write_atomically(out, b"new")
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_tables_hold_the_plotted_numbers(made_up, tmp_path):
    columns, rows = figure_table(made_up.project, "layers")
    assert columns[6] == "mmcs_pearson"
    assert len(rows) == 4 * 3
    out = export_figure_table(made_up.project, "layers", tmp_path / "layers.csv")
    with open(out, newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert float(read[4]["mmcs_pearson"]) == rows[4][6]
    assert read[4]["layer_b"] == rows[4][4]


def test_missing_numbers_are_empty_in_csv_and_null_in_json(make_project, tmp_path):
    made = make_project(headless="b", classes=('=1+1, "quoted"', "b"))
    table = export_figure_table(made.project, "replacement", tmp_path / "r.csv")
    with open(table, newline="", encoding="utf-8") as file:
        read = [row for row in csv.DictReader(file) if row["side"] == "b"]
    assert {row["kl"] for row in read} == {""}
    assert read[0]["class"] == '=1+1, "quoted"'
    whole = json.loads(
        export_figure_table(made.project, "concepts", tmp_path / "c.json").read_text("utf-8")
    )
    assert {row["importance"] for row in whole["rows"] if row["side"] == "b"} == {None}
    assert whole["provenance"]["figure"] == "concepts"


def test_table_of_one_concept_marks_its_patches(made_up):
    _, rows = figure_table(made_up.project, "concept", concept=1)
    assert len(rows) == 24
    assert sorted(row[8] for row in rows if row[7] == "top") == [0, 1, 2]


def test_unknown_table_suffix(made_up, tmp_path: Path):
    with pytest.raises(AuditError, match="xlsx"):
        export_figure_table(made_up.project, "layers", tmp_path / "a.xlsx")
