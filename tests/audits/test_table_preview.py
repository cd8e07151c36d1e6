from __future__ import annotations

from pathlib import Path

import pytest

from analysis.audits.table_preview import preview_table
from analysis.errors import AuditError

LCE = """,name,unit,iou,label,category
0,one,0,0.2,wheel,part
1,one,1,0.01,-,-
2,two,0,,dog,object
"""
NETDISSECT = "unit,category,label,score\n1,object,dog,0.2\n2,part,wheel,0.1\n"
WIDE = "Unnamed: 0,model,ImageNet,Food\n0,one,70.5,\n1,two,60,50\n"
LONG = "model;task;value\none;ImageNet;70,5\n"


def written(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_units_are_recognised_and_flagged_rows_counted(tmp_path: Path) -> None:
    preview = preview_table(written(tmp_path, LCE))
    assert (preview.kind, preview.form) == ("dissection", "lce")
    assert (preview.models, preview.rows, preview.flagged) == (("one", "two"), 3, 2)
    assert {subject for subject, _reason in preview.left_out} == {"one", "two"}
    assert preview.names_models


def test_a_netdissect_table_leaves_the_model_open(tmp_path: Path) -> None:
    path = written(tmp_path, NETDISSECT, "alexnet.csv")
    assert preview_table(path).models == ("alexnet",)
    assert preview_table(path, "other").models == ("other",)
    assert not preview_table(path).names_models


@pytest.mark.parametrize(("text", "form", "rows"), [(WIDE, "wide", 3), (LONG, "long", 1)])
def test_performance_is_recognised(tmp_path: Path, text: str, form: str, rows: int) -> None:
    preview = preview_table(written(tmp_path, text))
    assert (preview.kind, preview.form, preview.rows) == ("performance", form, rows)
    assert preview.tasks[0] == "ImageNet"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "a,b,c\n1,2,3\n",
        "\x00\x01\x02",
        '"',
        "unit,iou\n1,2\n",
        LCE + "3,one,0,0.1,x,part\n",
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AuditError) as caught:
        preview_table(written(tmp_path, text))
    assert caught.value.summary


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(AuditError, match="cannot be read"):
            preview_table(path)


def test_the_published_tables(shared: Path) -> None:
    units = preview_table(shared / "data" / "lce" / "models_dissect_profiles_raw.csv")
    assert (len(units.models), units.rows, units.flagged) == (20, 40_960, 1_344)
    performance = preview_table(shared / "data" / "lce" / "models_performance_on_tasks.csv")
    assert (len(performance.models), len(performance.tasks)) == (14, 36)
