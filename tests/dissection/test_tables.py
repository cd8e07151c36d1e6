"""CSV in and out: the authors' data, NetDissect's, our own, and bad files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.dissection import tables as tables_module
from analysis.dissection.categories import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER
from analysis.dissection.table_export import (
    dissection_csv,
    table_from_rows,
    write_dissection_csv,
)
from analysis.dissection.tables import DissectionTable, read_dissection_csv
from analysis.errors import AuditError

LCE = "name,unit,iou,label,category\n"
COLUMNS = ("model", "layer", "unit", "concept", "category", "iou", "active_fraction")


def read(folder: Path, text: str | bytes, name: str = "table.csv") -> DissectionTable:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_dissection_csv(path)


def rows() -> list[dict[str, object]]:
    common = {"model": "one", "layer": "layer4", "threshold": 1.25, "p": 0.02}
    return [
        {**common, "unit": 0, "concept": "wheel", "category": "part", "iou": 0.1, "null_iou": 0.02}
        | {"active_fraction": 0.01, "interpretable": 1},
        {**common, "unit": 1, "category": FAILED_THRESHOLD, "active_fraction": 0.0}
        | {"interpretable": 0, "concept": None, "iou": None},
        {**common, "unit": 2, "category": DEAD, "interpretable": 0},
        {**common, "unit": 3, "concept": "sky, blue", "category": "object", "iou": 0.03}
        | {"null_iou": 0.05, "interpretable": 0},
    ]


def candidates() -> list[dict[str, object]]:
    common = {"model": "one", "layer": "layer4", "unit": 0}
    numbers = {"intersection": 10, "activation": 50, "truth": 60}
    return [
        {**common, **numbers, "rank": 1, "concept": "car", "category": "object", "iou": 0.08},
        {**common, **numbers, "rank": 0, "concept": "wheel", "category": "part", "iou": 0.1},
        {**common, **numbers, "rank": 2, "concept": "bus", "category": "object", "iou": 0.05},
        {**common, **numbers, "unit": 9, "rank": 0, "concept": "x", "category": "part", "iou": 1},
    ]


def assert_same(first: DissectionTable, second: DissectionTable, *columns: str) -> None:
    for name in columns:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


@pytest.mark.shared
def test_the_authors_table(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "lce" / "models_dissect_profiles_raw.csv"
    table = read_dissection_csv(path)
    assert (table.kind, len(table.unit), len(table.models)) == ("lce", 40960, 20)
    assert set(table.layer) == {"imported"}
    assert {(problem.model, problem.units) for problem in table.problems} == {
        ("SimCLRV2(R)", 29),
        ("Random(R)", 947),
        ("Random(R)", 368),
    }
    not_a_number = table.category == NOT_A_NUMBER
    failed = table.category == FAILED_THRESHOLD
    assert (not_a_number.sum(), failed.sum()) == (397, 947)
    assert np.isnan(table.iou[failed | not_a_number]).all()
    assert set(table.concept[failed | not_a_number]) == {""}
    assert 0.6 < np.median(table.active_fraction[failed]) < 0.7
    assert not table.interpretable(0.0)[failed | not_a_number].any()
    write_dissection_csv(tmp_path / "again.csv", table, "lce")
    again = read_dissection_csv(tmp_path / "again.csv")
    assert_same(again, table, *COLUMNS)
    assert again.problems == table.problems
    kept = table.iou > 0.04
    assert (table.interpretable() == kept).all()


@pytest.mark.shared
def test_netdissects_tables(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "netdissect" / "caffe_reference_places365.csv"
    table = read_dissection_csv(path)
    assert (table.kind, table.models) == ("netdissect", ("caffe_reference_places365",))
    assert sorted(table.unit) == list(range(256))
    assert (table.unit[0], table.concept[0], table.category[0]) == (106, "road", "object")
    assert read_dissection_csv(path, model="AlexNet").models == ("AlexNet",)
    assert read_dissection_csv(path, first_unit=0).unit.min() == 1
    found = table.candidates
    assert len(found.row) == 256 * 6
    best = found.rank == 0
    np.testing.assert_allclose(found.iou[best], table.iou[found.row[best]])
    union = found.truth + found.activation - found.intersection
    # Some of NetDissect's images lack a category, so its activation varies with it.
    np.testing.assert_allclose(found.iou, found.intersection / union, rtol=1e-6)
    write_dissection_csv(tmp_path / path.name, table, "netdissect")
    again = read_dissection_csv(tmp_path / path.name)
    assert_same(again, table, *COLUMNS[:-1])
    assert_same(again.candidates, table.candidates, "truth", "activation", "intersection", "iou")


def test_our_own_table_in_all_three_forms(tmp_path: Path) -> None:
    table = table_from_rows(rows(), candidates())
    own = read(tmp_path, dissection_csv(table, "parallax"))
    assert_same(own, table, *COLUMNS, "threshold", "null_iou", "p", "kept_interpretable")
    assert own.kind == "parallax"
    assert [problem.units for problem in own.problems] == [1, 1]
    assert "threshold failed" in own.problems[0].reason
    assert "dead" in own.problems[1].reason
    lce = read(tmp_path, dissection_csv(table, "lce"))
    assert lce.concept.tolist() == ["wheel", "", "", "sky, blue"]
    # The authors' form has no word for a dead unit: it has no number.
    assert lce.category.tolist() == ["part", FAILED_THRESHOLD, NOT_A_NUMBER, "object"]
    assert lce.active_fraction[1] == 0
    theirs = read(tmp_path, dissection_csv(table, "netdissect"))
    assert theirs.unit.tolist() == [0, 3, 1, 2]
    assert theirs.candidates.concept.tolist() == ["wheel", "car"]
    assert theirs.category.tolist() == ["part", "object", NOT_A_NUMBER, NOT_A_NUMBER]


def test_several_models_do_not_fit_netdissects_form() -> None:
    both = [*rows(), {**rows()[0], "model": "two"}]
    table = table_from_rows(both)
    assert table.models == ("one", "two")
    with pytest.raises(AuditError, match="one layer of one model"):
        dissection_csv(table, "netdissect")


def test_interpretable_needs_the_null_where_it_is_known() -> None:
    found = table_from_rows(rows()).interpretable(0.02)
    assert found.tolist() == [True, False, False, False]


def test_a_unit_zero_means_units_from_zero(tmp_path: Path) -> None:
    text = "unit,category,label,score\n0,object,car,0.2\n4,part,wheel,\n"
    table = read(tmp_path, text)
    assert table.unit.tolist() == [0, 4]
    assert table.category.tolist() == ["object", NOT_A_NUMBER]
    with pytest.raises(AuditError, match="before unit 1"):
        read_dissection_csv(tmp_path / "table.csv", first_unit=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a dissection"),
        ("a,b\n1,2\n", "no column “"),
        ("name,unit,iou,label\nm,0,0.1,car\n", "no column “category”"),
        (LCE, "no row"),
        (LCE + "m,0,0.1,car,object\nm,0,0.2,bus,object\n", "“m” twice, in the lines 2 and 3"),
        (LCE + "m,0,0.1,car\n", "Line 2 .* 4 fields where the header has 5"),
        (LCE + "m,0,much,car,object\n", "“much” as “iou”"),
        (LCE + "m,0,1_0,car,object\n", "“1_0” as “iou”"),
        (LCE + "m,0,1.5,car,object\n", "1.5 as “iou”, which is not between"),
        (LCE + "m,0,inf,car,object\n", "infinite “iou”"),
        (LCE + "m,-1,0.1,car,object\n", "“-1” as unit"),
        (LCE + "m,0.5,0.1,car,object\n", "“0.5” as unit"),
        (LCE + "m,,0.1,car,object\n", "“” as unit"),
        (LCE + "m,99999999999,0.1,car,object\n", "no unit"),
        (LCE + ",0,0.1,car,object\n", "no “name”"),
        (LCE + "m,0,0.1,,object\n", "no “label”"),
        (LCE + "m,0,0.1,car,\n", "no “category”"),
        (LCE + "m,0,0.1," + "c" * 600 + ",object\n", "“label” of 600 characters"),
        (LCE + "m,0,0.1," + "c" * 200_000 + ",object\n", "not valid CSV"),
        (LCE + 'm,0,0.1,"car" x,object\n', "Line 2 .* not valid CSV"),
        ("unit," + LCE, "two columns “unit”"),
        (LCE[:-1] + "," * 1001 + "\n", "too many columns"),
        (LCE.encode("utf-16"), "UTF-8"),
        ("model,layer,unit,concept,category,iou,interpretable\nm,l,0,c,d,0.1,maybe\n", "“maybe”"),
        ("model,layer,unit,concept,category,iou\nm,l,0,c,,0.1\n", "no “category”"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        read(tmp_path, text)


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "_MOST_ROWS", 1)
    with pytest.raises(AuditError, match="more than 1 rows"):
        read(tmp_path, LCE + "m,0,0.1,car,object\nm,1,0.1,car,object\n")
    monkeypatch.setattr(tables_module, "_MOST_BYTES", 10)
    with pytest.raises(AuditError, match="larger than"):
        read(tmp_path, LCE + "m,0,0.1,car,object\n")


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        read_dissection_csv(tmp_path / "absent.csv")
    with pytest.raises(AuditError, match="cannot be read"):
        read_dissection_csv(tmp_path)
    with pytest.raises(AuditError, match="cannot be written"):
        write_dissection_csv(tmp_path / "absent" / "x.csv", table_from_rows(rows()), "lce")


def test_byte_order_mark_blank_lines_and_an_index_column(tmp_path: Path) -> None:
    text = (
        "\ufeff,name,unit,iou,label,category\r\n0,m,3,0.1,car,object\r\n\r\n1,m,4.0,,car,object\r\n"
    )
    table = read(tmp_path, text)
    assert table.unit.tolist() == [3, 4]
    assert table.category.tolist() == ["object", NOT_A_NUMBER]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda x: (LCE + x).encode())))
def test_any_bytes_are_a_table_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    try:
        outcome: object = read(tmp_path, content).models
    except AuditError as error:
        outcome = error.hint
    assert outcome


def test_tables_import_no_torch() -> None:
    code = "import sys, analysis.dissection.table_export; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
