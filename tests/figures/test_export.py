"""Figures and their tables as files."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.figures.definitions_comparison import COMPARISON_FIGURES
from analysis.figures.export import export_figure, export_figure_table
from analysis.figures.files import write_atomically
from tests.figures.drawn import figure_table
from tests.figures.written import FORMATS, checked_provenance, each_in_every_format, svg_texts

_FIGURES = [definition.name for definition in COMPARISON_FIGURES]


@pytest.mark.parametrize(("name", "format"), each_in_every_format(_FIGURES))
def test_each_figure_becomes_every_kind_of_file(made_up, tmp_path, name, format):
    out = export_figure(made_up.project, name, tmp_path / f"f.{format}", width_mm=85, dpi=100)
    _check_provenance(checked_provenance(out, 85, 100), name, made_up)


def test_a_drawing_keeps_its_words(made_up, tmp_path):
    out = export_figure(made_up.project, "layers", tmp_path / "figure.svg", width_mm=175)
    assert any("ResNet-18" in text for text in svg_texts(out))


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


def test_equal_projects_give_equal_bytes(made_up, tmp_path):
    """Also in another process, where texts have other hashes."""
    for format in FORMATS:
        export_figure(made_up.project, "concept", tmp_path / f"first.{format}", dpi=60)
    code = (
        "import sys; from pathlib import Path; from analysis.project import Project;"
        "from analysis.figures.export import export_figure;"
        "project = Project.open(Path(sys.argv[1]), read_only=True);"
        "[export_figure(project, 'concept', Path(file), dpi=60) for file in sys.argv[2:]];"
        "project.close()"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "MPLCONFIGDIR": matplotlib.get_cachedir(),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    again = [str(tmp_path / f"second.{format}") for format in FORMATS]
    subprocess.run(
        [sys.executable, "-c", code, str(made_up.project.path), *again],
        check=True,
        env=environment,
        timeout=120,
    )
    for format in FORMATS:
        first, second = (tmp_path / f"{name}.{format}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), format


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
