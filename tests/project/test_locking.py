"""One writer at a time, and what is left of those that crashed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from analysis.project import Project
from analysis.project.errors import ProjectInUseError
from analysis.project.locking import LockHolder, ProjectLock, lock_path


def write_lock(project: Path, **changes: object) -> Path:
    holder = {"host": socket.gethostname(), "process": os.getpid(), "started": 0.0, **changes}
    lock = lock_path(project)
    lock.write_text(json.dumps(holder))
    return lock


@pytest.fixture
def finished_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_second_window_is_offered_to_read(filled: Project) -> None:
    with pytest.raises(ProjectInUseError, match="already open in this Parallax") as caught:
        Project.open(filled.path)
    assert "read-only" in caught.value.hint
    with Project.open(filled.path, read_only=True) as reader:
        filled.rename("Changed meanwhile")
        assert reader.name == "Changed meanwhile"
    assert filled.name == "Changed meanwhile"


def test_other_process_is_named(closed: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started = psutil.Process(other.pid).create_time()
        write_lock(closed, process=other.pid, started=started)
        try:
            with pytest.raises(ProjectInUseError, match=f"process {other.pid}"):
                Project.open(closed)
        finally:
            other.communicate(b"\n")
    Project.open(closed).close()


def test_other_computer_is_named_and_never_overruled(closed: Path) -> None:
    lock = write_lock(closed, host="elsewhere", process=1)
    with pytest.raises(ProjectInUseError, match="computer “elsewhere”") as caught:
        Project.open(closed)
    assert lock.name in caught.value.hint
    assert lock.exists()


def test_lock_of_a_finished_process_is_taken_over(closed: Path, finished_process: int) -> None:
    lock = write_lock(closed, process=finished_process)
    with Project.open(closed):
        assert json.loads(lock.read_bytes())["process"] == os.getpid()
    assert not lock.exists()


def test_process_number_used_again_is_not_taken_for_the_old_one(closed: Path) -> None:
    write_lock(closed, started=psutil.Process().create_time() - 3600)
    Project.open(closed).close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": "x"}', b"\xff" * 9000])
def test_unreadable_lock_counts_only_while_it_is_being_written(
    closed: Path, content: bytes
) -> None:
    lock = lock_path(closed)
    lock.write_bytes(content)
    with pytest.raises(ProjectInUseError):
        Project.open(closed)
    os.utime(lock, (1, 1))
    Project.open(closed).close()
    assert not lock.exists()


def test_release_leaves_a_lock_that_was_taken_over(path: Path) -> None:
    lock = ProjectLock(path)
    lock.acquire()
    other = write_lock(path, host="elsewhere")
    lock.release()
    assert other.exists()


def test_a_lock_that_changed_while_it_was_judged_is_kept(
    path: Path, finished_process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes find the same stale lock; the slower one must not remove the faster one's."""
    write_lock(path, process=finished_process)
    judged = LockHolder.is_gone.fget

    def judge_and_lose_the_race(holder: LockHolder) -> bool:
        gone = judged(holder)
        if gone:
            write_lock(path, host="faster")
        return gone

    monkeypatch.setattr(LockHolder, "is_gone", property(judge_and_lose_the_race))
    with pytest.raises(ProjectInUseError, match="faster"):
        ProjectLock(path).acquire()
    assert json.loads(lock_path(path).read_bytes())["host"] == "faster"
    assert [entry.name for entry in path.parent.iterdir()] == [lock_path(path).name]


def test_lock_is_released_when_opening_fails(closed: Path) -> None:
    closed.write_bytes(closed.read_bytes()[:20000])
    with pytest.raises(Exception, match="damaged"):
        Project.open(closed)
    assert not lock_path(closed).exists()
