"""A process that is killed in the middle of its work loses only the unit it was at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.project import Project
from analysis.project.locking import lock_path

WORKER = """
import sys
import numpy as np
from analysis.project import Project

project = Project.open(sys.argv[1])
run = int(sys.argv[2])
project.set_run_state(run, "running")
for number in range(100_000):
    rows = [
        {"side": "a", "model": "A", "layer": "x", "class": str(number), "concept": concept}
        for concept in range(30)
    ]
    array = np.full(50_000, number, dtype=np.int64)
    project.commit_unit(run, f"unit {number}", {"concept": rows}, {f"array {number}": array},
                        [("subject", "reason")], 0.1)
    print(number, flush=True)
"""


@pytest.mark.parametrize("units", [1, 25])
def test_a_killed_process_leaves_whole_units(filled: Project, units: int) -> None:
    path = filled.path
    run = filled.add_run("concepts", "killed", {}, model_a="A", model_b="B")
    filled.close()
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(run)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as worker:
        assert worker.stdout is not None
        for _ in range(units):
            assert worker.stdout.readline()
        worker.kill()
        reported = units + len(worker.stdout.read().splitlines())
    assert lock_path(path).exists()
    assert path.with_name(path.name + "-wal").stat().st_size > 0

    with Project.open(path, read_only=True) as project:
        assert project.value("SELECT state FROM run WHERE id = ?", (run,)) == "running"
        assert len(project.unit_states(run)) >= reported

    with Project.open(path, quick_check=True) as project:
        assert project.value("SELECT state FROM run WHERE id = ?", (run,)) == "cancelled"
        done = project.unit_states(run)
        assert list(done) == [f"unit {number}" for number in range(len(done))]
        assert set(done.values()) == {"done"}
        # What was reported as done is there; the last one may have ended just before its report.
        assert reported <= len(done) <= reported + 1
        for number in range(len(done)):
            concepts = project.value(
                "SELECT count(*) FROM concept WHERE run = ? AND class = ?", (run, str(number))
            )
            assert concepts == 30
            array = project.read_array(run, f"array {number}")
            np.testing.assert_array_equal(array, np.full(50_000, number))
        counted = "SELECT (SELECT count(*) FROM {0} WHERE run = ?)"
        assert project.value(counted.format("concept"), (run,)) == 30 * len(done)
        assert project.value(counted.format("array"), (run,)) == len(done)
        assert project.value(counted.format("problem"), (run,)) == len(done)
        project.commit_unit(run, f"unit {len(done)}", {}, {})
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, "pets"]
