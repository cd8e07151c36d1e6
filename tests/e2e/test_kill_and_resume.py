"""A run killed without warning, at random moments, resumes to the tables of an undisturbed one."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

TABLES = ("concept", "concept_similarity", "replacement", "patch", "layer_similarity")
SETTINGS = ["--set", "minimum_images=8", "--device", "cpu", "--json-progress"]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "analysis", *arguments]


def _tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {
            name: sorted(
                connection.execute(f"SELECT * FROM {name}").fetchall(), key=lambda row: row[0]
            )
            for name in TABLES
        }
    finally:
        connection.close()


def _run_and_kill_after(path: Path, audit: str, reports: int) -> None:
    """Start the run and kill it when it has reported progress `reports` times."""
    process = subprocess.Popen(_command("run", str(path), audit, *SETTINGS), stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(reports):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()


def _unfinished_runs(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        query = "SELECT count(*) FROM run WHERE state <> 'done'"
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill")
@pytest.mark.parametrize("audit", ["concepts", "layers"])
def test_killed_five_times_gives_the_same_tables(
    tmp_path: Path, audit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, killed = tmp_path / "undisturbed.parallax", tmp_path / "killed.parallax"
    from analysis.resources import resource_path

    for path in (undisturbed, killed):
        subprocess.run(
            _command("new", str(path), "--images",
                     f"scenes={resource_path('sample', 'images')}",
                     "--model", "one=sample:pink-sensitive", "--model", "two=sample:vit"),
            check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(_command("run", str(undisturbed), audit, *SETTINGS), check=True,
                   capture_output=True)  # fmt: skip
    monkeypatch.setenv("PARALLAX_CACHE", str(tmp_path / "another cache"))
    moments = random.Random(audit)
    for _ in range(5):
        _run_and_kill_after(killed, audit, moments.randint(2, 9))
        assert _unfinished_runs(killed) == 1  # it was killed in the middle, and taken up again
    subprocess.run(_command("run", str(killed), audit, *SETTINGS), check=True, capture_output=True)
    expected, found = _tables(undisturbed), _tables(killed)
    assert any(expected.values())
    assert found == expected
