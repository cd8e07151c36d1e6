"""Tables as CSV and JSON: complete, streamed, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.schema import RESULT_TABLES
from analysis.project.tables import DOCUMENTED_TABLES, export_table, table_names


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_is_listed_with_rows_and_columns(filled: Project) -> None:
    tables = {name: (rows, columns) for name, rows, columns in table_names(filled)}
    assert tuple(tables) == DOCUMENTED_TABLES
    assert set(RESULT_TABLES) < set(tables)
    assert tables["patch"][0] == 10
    columns = tables["patch"][1]
    assert columns[columns.index("image") + 1] == "image_path"
    assert tables["replacement"][0] == 0


PROMISED = {
    "concept": "run model layer class concept importance importance_residual reconstruction_error",
    "concept_similarity": "run class target_model concept predictor_model cmcs_pearson"
    " cmcs_spearman ci_low ci_high smcs_pearson mcs_pearson null_95 nonzero_weights n_images",
    "replacement": "run class target_model concept predictor_model delta_pearson l2 kl"
    " match_accuracy",
    "patch": "run class target_model concept predictor_model kind rank image x y width height"
    " coefficient predicted",
    "layer_similarity": "run model_a layer_a model_b layer_b mmcs_pearson mmcs_spearman cka"
    " ci_low ci_high null_95 classes",
}


@pytest.mark.parametrize("table", PROMISED)
def test_promised_columns_are_there(project: Project, table: str) -> None:
    columns = {name: columns for name, _, columns in table_names(project)}[table]
    assert set(PROMISED[table].split()) <= set(columns)


@pytest.mark.parametrize("table", DOCUMENTED_TABLES)
@pytest.mark.parametrize("format", ["csv", "json"])
def test_every_table_is_exported_with_the_columns_listed(
    filled: Project, tmp_path: Path, table: str, format: str
) -> None:
    out = tmp_path / f"{table}.{format}"
    count = export_table(filled, table, out)
    _, rows, columns = next(entry for entry in table_names(filled) if entry.name == table)
    assert count == rows
    if format == "csv":
        with out.open(newline="") as file:
            header, *body = csv.reader(file)
        assert tuple(header) == columns
        assert len(body) == rows
    else:
        entries = json.loads(out.read_text())
        assert len(entries) == rows
        assert all(tuple(entry) == columns for entry in entries)


def test_numbers_are_exact_and_missing_ones_empty(filled: Project, tmp_path: Path) -> None:
    export_table(filled, "patch", tmp_path / "patch.csv")
    export_table(filled, "patch", tmp_path / "patch.json")
    rows = read_csv(tmp_path / "patch.csv")
    entries = json.loads((tmp_path / "patch.json").read_text())
    assert [float(row["coefficient"]) for row in rows] == [rank / 7 for rank in range(10)]
    assert [entry["coefficient"] for entry in entries] == [rank / 7 for rank in range(10)]
    assert {row["predicted"] for row in rows} == {""}
    assert {entry["predicted"] for entry in entries} == {None}
    assert {row["image_path"] for row in rows} == {"cat/0.jpg"}
    assert {entry["image_path"] for entry in entries} == {"cat/0.jpg"}


FORMULAS = ["=1+1", "+1", "-dash", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


def test_formulas_are_defused_in_csv_alone(
    filled: Project, make: SimpleNamespace, tmp_path: Path
) -> None:
    names = [*FORMULAS, 'quote " and, comma', "two\nlines", "grüße ‰", "a=1"]
    rows = [make.concept(name, 0, importance=-0.5) for name in names]
    filled.commit_unit(1, "classes/1", {"concept": rows}, {})
    export_table(filled, "concept", tmp_path / "concept.csv")
    export_table(filled, "concept", tmp_path / "concept.json")
    in_csv = [row["class"] for row in read_csv(tmp_path / "concept.csv")[4:]]
    assert in_csv == [*(f"'{name}" for name in FORMULAS), *names[len(FORMULAS) :]]
    assert {row["importance"] for row in read_csv(tmp_path / "concept.csv")[4:]} == {"-0.5"}
    entries = json.loads((tmp_path / "concept.json").read_text(encoding="utf-8"))
    assert [entry["class"] for entry in entries[4:]] == names


def test_json_columns_are_json(filled: Project, tmp_path: Path) -> None:
    with filled.transaction() as connection:
        connection.execute("UPDATE model SET preprocessing = '{broken' WHERE name = 'A'")
        connection.execute("UPDATE model SET load_report = '[NaN]' WHERE name = 'A'")
    export_table(filled, "run", tmp_path / "run.json")
    export_table(filled, "model", tmp_path / "model.json")
    assert json.loads((tmp_path / "run.json").read_text())[0]["parameters"]["components"] == 10
    first, second = json.loads((tmp_path / "model.json").read_text())
    assert first["class_names"] == ["cat", "dog"]
    assert first["preprocessing"] == "{broken"
    assert first["load_report"] == [None]
    assert second["class_names"] is None


def test_infinity_is_null_in_json(filled: Project, make: SimpleNamespace, tmp_path: Path) -> None:
    filled.commit_unit(1, "x", {"concept": [make.concept("dog", 0, importance=math.inf)]}, {})
    export_table(filled, "concept", tmp_path / "concept.json")
    assert json.loads((tmp_path / "concept.json").read_text())[-1]["importance"] is None


def test_only_one_run(filled: Project, make: SimpleNamespace, tmp_path: Path) -> None:
    other = filled.add_run("concepts", "other", {})
    filled.commit_unit(other, "x", {"concept": [make.concept("dog", 0)]}, {})
    out = io.StringIO()
    assert export_table(filled, "concept", out, "csv", run=other) == 1
    assert out.getvalue().splitlines()[1].startswith(f"5,{other},a,A,penultimate,dog,0,0.5")
    with pytest.raises(AuditError, match="no run 99") as caught:
        export_table(filled, "concept", out, "csv", run=99)
    assert caught.value.hint == f"Its runs are 1, {other}."
    with pytest.raises(AuditError, match="does not belong to runs"):
        export_table(filled, "image", out, "csv", run=1)


@pytest.mark.parametrize("name", ["nothing", "sqlite_schema", "array_chunk", "run; DROP TABLE run"])
def test_unknown_tables_are_answered_with_the_known(filled: Project, name: str) -> None:
    with pytest.raises(AuditError, match="There is no table") as caught:
        export_table(filled, name, io.StringIO(), "csv")
    for known in DOCUMENTED_TABLES:
        assert known in caught.value.hint


def test_unknown_formats(filled: Project, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="xlsx"):
        export_table(filled, "run", tmp_path / "run.xlsx")
    with pytest.raises(AuditError, match="no folder"):
        export_table(filled, "run", tmp_path / "missing" / "run.csv")
    assert not (tmp_path / "run.xlsx").exists()


def test_a_failed_export_keeps_the_file_before(
    filled: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "patch.csv"
    out.write_text("precious")
    before = {entry.name for entry in tmp_path.iterdir()}

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analysis.project.replacing.os.fsync", no_space)
    with pytest.raises(AuditError, match="disk is full"):
        export_table(filled, "patch", out)
    assert out.read_text() == "precious"
    assert {entry.name for entry in tmp_path.iterdir()} == before


def test_memory_does_not_grow_with_the_table(
    filled: Project, make: SimpleNamespace, tmp_path: Path
) -> None:
    def peak(format: str) -> int:
        tracemalloc.start()
        try:
            export_table(filled, "patch", tmp_path / f"patch.{format}")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def add(rows: int) -> None:
        entries = [make.patch("dog", 0, rank) for rank in range(rows)]
        filled.commit_unit(1, f"rows {rows}", {"patch": entries}, {})

    add(2_000)
    small = {format: peak(format) for format in ("csv", "json")}
    add(8_000)
    for format, bytes_before in small.items():
        assert peak(format) < bytes_before + 300_000
        assert (tmp_path / f"patch.{format}").stat().st_size > 500_000
