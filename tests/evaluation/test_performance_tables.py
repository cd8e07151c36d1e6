import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import AuditError
from analysis.evaluation.tables import read_performance_csv


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def test_the_authors_table_as_it_is(shared):
    path = shared / "data" / "lce" / "models_performance_on_tasks.csv"
    found = read_performance_csv(path)
    assert len(found.models) == 14
    assert len(found.tasks) == 36
    assert found.models[0] == "InsDis(R)"
    assert {name for name, _ in found.left_out} == {
        "column 1",
        "Unnamed: 0_x_x",
        "Unnamed: 0_y_x",
        "Unnamed: 0_x_y",
        "Unnamed: 0_y_y",
    }
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            model = found.models.index(row["model"])
            for task, value in zip(found.tasks, found.values[model], strict=True):
                assert value == float(row[task])
    assert np.isnan(found.ci_low).all()
    assert np.isnan(found.n).all()


def test_long_form_with_intervals_and_other_columns(write):
    found = read_performance_csv(
        write(
            "id,run,model,task,value,ci_low,ci_high,n\n"
            "1,3,A,linear probe,0.8,0.7,0.9,400\n"
            "2,3,B,linear probe,0.5,,,400\n"
            '3,3,A,"k-NN (k = 10), cosine",0.6,0.5,0.7,\n'
        )
    )
    assert found.models == ("A", "B")
    assert found.tasks == ("linear probe", "k-NN (k = 10), cosine")
    np.testing.assert_array_equal(found.values, [[0.8, 0.6], [0.5, np.nan]])
    np.testing.assert_array_equal(found.ci_low, [[0.7, 0.5], [np.nan, np.nan]])
    np.testing.assert_array_equal(found.ci_high, [[0.9, 0.7], [np.nan, np.nan]])
    np.testing.assert_array_equal(found.n, [[400, np.nan], [400, np.nan]])
    assert found.left_out == ()


def test_long_form_without_intervals(write):
    found = read_performance_csv(write("task,model,value\nx,A,1\nx,B,2\n"))
    np.testing.assert_array_equal(found.values, [[1], [2]])


def test_separators_decimal_commas_byte_order_mark_and_missing_cells(write):
    found = read_performance_csv(
        write("\ufeffModel;Köln;b\r\n A  one ;59,5;\r\n\r\nB;n/a;1e-3\r\n")
    )
    assert found.models == ("A one", "B")
    assert found.tasks == ("Köln", "b")
    np.testing.assert_array_equal(found.values, [[59.5, np.nan], [np.nan, 1e-3]])
    tabs = read_performance_csv(write("name\ttask a\nA\t0.5\n"))
    assert tabs.tasks == ("task a",)


def test_models_in_a_first_column_without_a_name(write):
    found = read_performance_csv(write(",x,y\nA,1,2\nB,3,4\n"))
    assert found.models == ("A", "B")
    assert found.tasks == ("x", "y")
    assert found.left_out == ()


def test_columns_that_are_no_performance_are_left_out_with_the_reason(write):
    found = read_performance_csv(
        write("model,x,family,empty,percent,huge\nA,1,contrastive,,5%,1e999\nB,2,cluster,,6%,1\n")
    )
    assert found.tasks == ("x",)
    assert dict(found.left_out) == {
        "family": "“contrastive” in line 2 is not a number",
        "empty": "no number in it",
        "percent": "“5%” in line 2 is not a number",
        "huge": "“1e999” in line 2 is not a number",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("model,x\n", "names no model"),
        ("network,x\nA,1\n", "no column `model`"),
        (",x\n0,1\n1,2\n", "no column `model`"),
        ("model,x\nA,1\nA,2\n", r"two lines for the model A \(2 and 3\)"),
        ("model,x\nA,1\n A ,2\n", "two lines for the model A"),
        ("model,x,x\nA,1,2\n", "two columns x"),
        ("model,x\nA,1,2\n", "Line 2 of table.csv has 3 cells"),
        ("model,x\nA\n", "Line 2 of table.csv has 1 cells"),
        ("model,x\n,1\n", "names no model"),
        ("model,x\nA,yes\n", "no column of numbers"),
        ("model,x\nA,\n", "no column of numbers"),
        ("model,x\n" + "A" * 300 + ",1\n", "cannot be a name"),
        ("model,x\nA\x1b[31m,1\n", "cannot be a name"),
        ("model,x\u202e\nA,1\n", "cannot be a name"),
        ("model,task,value\nA,x,1\nA,x,2\n", "second value of A in x"),
        ("model,task,value\nA,x,one\n", "“one” in the column value is not a number"),
        ("model,task,value\nA,,1\n", "names no model or no task"),
        ("model,task,value\nA,x,\n", "no number in the column `value`"),
        ("model,task,value,n\nA,x,1,2.5\n", "is not a count"),
        ("model,task,value,n\nA,x,1,-2\n", "is not a count"),
        ("model,task,value,n\nA,x,1,1e300\n", "is not a count"),
        ("model,task,value,ci_low,ci_high\nA,x,1,2,1\n", "interval"),
        ('model,x\n"A,1\n', "Line 2"),
        (b"model,x\nA,\x00\n", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not a text file in UTF-8"),
        ("model,x\nA,1\n".encode("utf-16"), "not a text file in UTF-8"),
        ("model," + ",".join(f"t{i}" for i in range(10_001)) + "\n", "10002 columns"),
        ('model,x\n"' + "A" * 200_000 + '",1\n', "field larger than field limit"),
    ],
)
def test_bad_tables_are_refused(write, text, words):
    with pytest.raises(AuditError, match=words):
        read_performance_csv(write(text))


def test_files_that_are_not_there_or_too_large_are_refused(tmp_path):
    with pytest.raises(AuditError, match="cannot be read"):
        read_performance_csv(tmp_path / "none.csv")
    with pytest.raises(AuditError, match="cannot be read"):
        read_performance_csv(tmp_path)
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(2**27)
    with pytest.raises(AuditError, match="too large"):
        read_performance_csv(large)


def test_a_long_table_of_very_many_models_and_tasks_is_refused(write):
    rows = "".join(f"m{i},t{i},1\n" for i in range(4_000))
    with pytest.raises(AuditError, match="4,000 models and 4,000 tasks"):
        read_performance_csv(write("model,task,value\n" + rows))


@pytest.mark.parametrize("number", ["1_000", "１２", "0x10", "inf", "-inf", "1" * 100, "1 2"])
def test_only_plain_numbers_count(write, number):
    found = read_performance_csv(write(f"model,x,y\nA,1,{number}\n"))
    assert found.tasks == ("x",)


@given(text=st.text(alphabet='model,task;value\n"\t 01.-e\r\x00é', max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        found = read_performance_csv(path)
    except AuditError:
        return
    assert found.values.shape == (len(found.models), len(found.tasks))
    assert np.isfinite(found.values).any()


def test_what_is_written_is_read_back(write):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(5, 3))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["model", "task", "value"])
    for row in range(5):
        for column in range(3):
            writer.writerow([f'm"{row}"', f"t,{column}", repr(float(values[row, column]))])
    found = read_performance_csv(write(text.getvalue()))
    np.testing.assert_array_equal(found.values, values)
    assert found.models[0] == 'm"0"'
    assert found.tasks[1] == "t,1"
