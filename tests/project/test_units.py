"""Runs, their units of work and their results: together or not at all."""

from __future__ import annotations

import json
import sqlite3
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.schema import RESULT_TABLES


def counts(project: Project) -> tuple[int, ...]:
    tables = ("concept", "patch", "array", "array_chunk", "problem", "work_unit")
    return tuple(project.value(f"SELECT count(*) FROM {table}") for table in tables)


def test_a_unit_brings_all_it_found(filled: Project) -> None:
    assert filled.unit_states(1) == {"classes/0": "done", "classes/1": "pending"}
    assert counts(filled) == (4, 10, 1, 1, 1, 2)
    patch = filled.row("SELECT * FROM patch WHERE rank = 3")
    assert patch is not None
    assert patch["run"] == 1
    assert patch["x"] == 3
    assert patch["coefficient"] == 3 / 7
    assert patch["predicted"] is None
    assert filled.value("SELECT importance FROM concept") == 0.5
    problem = filled.row("SELECT run, unit, subject, reason FROM problem")
    assert problem is not None
    assert tuple(problem) == (1, "classes/0", "cat/broken.jpg", "The file is cut off.")
    unit = filled.row("SELECT seconds, finished FROM work_unit WHERE state = 'done'")
    assert unit is not None
    assert unit["seconds"] == 1.5
    assert unit["finished"]
    assert filled.value("SELECT seconds FROM run") == 1.5


@pytest.mark.parametrize(
    "broken",
    [
        lambda make: {"patch": [make.patch("cat", 0, 0, image=99)]},
        lambda make: {"concept": [make.concept("dog", 0), make.concept("dog", 0)]},
        lambda make: {"concept": [make.concept("dog", 0, side="c")]},
        lambda make: {"concept": [make.concept("dog", "first")]},
        lambda make: {"concept": [make.concept("dog", 0, model="C")]},
    ],
    ids=["unknown image", "twice the same", "third side", "text as number", "unknown model"],
)
def test_a_unit_that_breaks_a_rule_brings_nothing(
    filled: Project, make: SimpleNamespace, broken
) -> None:
    before = counts(filled)
    rows = {"concept": [make.concept("dog", 7)], "layer_similarity": [], **broken(make)}
    with pytest.raises(sqlite3.IntegrityError):
        filled.commit_unit(1, "classes/1", rows, {"new": np.ones(3)}, [("subject", "reason")])
    assert counts(filled) == before
    assert filled.unit_states(1)["classes/1"] == "pending"


def test_arrays_are_undone_too(filled: Project) -> None:
    before = counts(filled)
    with pytest.raises(AuditError):
        filled.commit_unit(1, "classes/1", {}, {"good": np.ones(3), "bad": np.array(["a"])})
    assert counts(filled) == before


def test_full_disk_leaves_the_unit_to_be_done_again(filled: Project) -> None:
    before = counts(filled)
    with filled.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    large = np.random.default_rng(1).normal(size=100_000)
    with pytest.raises(AuditError, match="disk is full"):
        filled.commit_unit(1, "classes/1", {}, {"large": large})
    assert counts(filled) == before
    with filled.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    filled.commit_unit(1, "classes/1", {}, {"large": large})
    assert filled.unit_states(1)["classes/1"] == "done"
    np.testing.assert_array_equal(filled.read_array(1, "large"), large)


def test_a_unit_is_done_once(filled: Project) -> None:
    before = counts(filled)
    with pytest.raises(AuditError, match="done already"):
        filled.commit_unit(1, "classes/0", {}, {"again": np.ones(1)})
    assert counts(filled) == before


def test_an_unplanned_unit_takes_its_place_at_the_end(filled: Project) -> None:
    filled.commit_unit(1, "a surprise", {}, {})
    assert list(filled.unit_states(1)) == ["classes/0", "classes/1", "a surprise"]


def test_planning_again_keeps_what_is_done(filled: Project) -> None:
    filled.plan_units(1, ["classes/2", "classes/0"])
    assert list(filled.unit_states(1).items())[:2] == [
        ("classes/2", "pending"),
        ("classes/0", "done"),
    ]
    assert filled.value("SELECT units_total FROM run") == 3
    filled.set_units_total(1, 7)
    assert filled.value("SELECT units_total FROM run") == 7


def test_rows_may_have_different_columns(filled: Project, make: SimpleNamespace) -> None:
    bare = make.concept("dog", 0)
    del bare["importance"]
    rows = [bare, make.concept("dog", 1, converged=True, iterations=np.int32(12), run=55)]
    filled.commit_unit(1, "classes/1", {"concept": rows}, {})
    found = filled.rows(
        "SELECT run, importance, converged, iterations FROM concept WHERE class = 'dog'"
        " ORDER BY concept"
    )
    assert [tuple(row) for row in found] == [(1, None, None, None), (1, 0.5, 1, 12)]


@pytest.mark.parametrize("table", ["model", "run", "sqlite_schema", "concept; DROP TABLE run"])
def test_only_result_tables_take_results(filled: Project, table: str) -> None:
    with pytest.raises(ValueError, match="no result table"):
        filled.commit_unit(1, "classes/1", {table: [{"name": "x"}]}, {})
    with pytest.raises(ValueError, match="no result table"):
        filled.replace_results(1, {table: []})


def test_unknown_columns_are_refused(filled: Project, make: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="concept has no column sparkle"):
        filled.commit_unit(1, "x", {"concept": [make.concept("dog", 0, sparkle=1)]}, {})


def test_conclusions_replace_those_before(filled: Project, make: SimpleNamespace) -> None:
    other = filled.add_run("layers", "other", {}, model_a="A", model_b="B")
    row = {"model_a": "A", "layer_a": "x", "model_b": "B", "layer_b": "y", "cka": 0.5}
    filled.replace_results(other, {"layer_similarity": [row]})
    for cka in (0.1, 0.2):
        filled.replace_results(1, {"layer_similarity": [{**row, "cka": cka}]})
    found = filled.rows("SELECT run, cka FROM layer_similarity ORDER BY run")
    assert [tuple(entry) for entry in found] == [(1, 0.2), (other, 0.5)]
    with pytest.raises(sqlite3.IntegrityError):
        filled.replace_results(1, {"layer_similarity": [row, row], "concept": []})
    assert filled.value("SELECT cka FROM layer_similarity WHERE run = 1") == 0.2
    assert filled.value("SELECT count(*) FROM concept") == 4
    filled.replace_results(1, {"concept": []})
    assert filled.value("SELECT count(*) FROM concept") == 0


def test_states_of_a_run(filled: Project) -> None:
    def state() -> tuple[object, ...]:
        row = filled.row("SELECT state, started IS NULL, finished IS NULL, message FROM run")
        assert row is not None
        return tuple(row)

    assert state() == ("pending", 1, 1, None)
    filled.set_run_state(1, "running")
    assert state() == ("running", 0, 1, None)
    filled.set_run_state(1, "failed", "The model is gone.")
    assert state() == ("failed", 0, 0, "The model is gone.")
    filled.set_run_state(1, "running")
    assert state() == ("running", 0, 1, None)
    filled.set_run_state(1, "done")
    assert state() == ("done", 0, 0, None)
    with pytest.raises(AuditError, match="no run 99"):
        filled.set_run_state(99, "done")
    with pytest.raises(sqlite3.IntegrityError):
        filled.set_run_state(1, "resting")


def test_parameters_are_kept_as_json(filled: Project) -> None:
    run = filled.add_run(
        "layers", "x", {"layers": 10, "preset": "paper"}, seed=7, versions={"torch": "2.5"}
    )
    row = filled.row("SELECT parameters, versions, seed, units_total FROM run WHERE id = ?", (run,))
    assert row is not None
    assert json.loads(row["parameters"]) == {"layers": 10, "preset": "paper"}
    assert json.loads(row["versions"]) == {"torch": "2.5"}
    assert (row["seed"], row["units_total"]) == (7, None)


def test_a_removed_run_takes_everything_along(filled: Project) -> None:
    filled.delete_run(1)
    assert counts(filled) == (0, 0, 0, 0, 0, 0)
    assert filled.value("SELECT count(*) FROM image") == 3
    filled.remove_model("A")
    filled.remove_image_set(1)
    assert filled.value("SELECT count(*) FROM image") == 0
    assert filled.value("SELECT count(*) FROM thumbnail") == 0


def test_every_result_table_belongs_to_runs(project: Project) -> None:
    for table in RESULT_TABLES:
        columns = [row["name"] for row in project.rows(f"PRAGMA table_info({table})")]
        assert columns[:2] == ["id", "run"]
