"""Save a copy, save as: complete or not at all, and the work goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.project import Project, checks
from analysis.project.errors import ProjectInUseError, ProjectNotWritableError
from analysis.project.locking import lock_path
from analysis.project.schema import APPLICATION_ID


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if entry.is_file()}


def test_a_copy_is_whole_and_alone(filled: Project, tmp_path: Path) -> None:
    target = tmp_path / "far" / "copy.parallax"
    target.parent.mkdir()
    filled.save_copy(target)
    assert names(target.parent) == {target.name}
    header = checks.read_header(target)
    assert (header.application_id, header.write_ahead) == (APPLICATION_ID, False)
    filled.rename("went on")
    with Project.open(target, quick_check=True) as copy:
        assert copy.name == "audit"
        assert copy.value("SELECT count(*) FROM patch") == 10
        assert copy.read_array(1, "class/cat/a/real").shape == (10, 4)
        assert copy.value("SELECT source_relative FROM image_set") == "../pets"
        assert copy.resolve_image(1) == filled.resolve_image(1)


def test_save_as_goes_on_with_the_new_file(filled: Project, tmp_path: Path) -> None:
    old, new = filled.path, tmp_path / "new.parallax"
    filled.save_as(new)
    assert filled.path == new
    filled.rename("new")
    filled.commit_unit(1, "classes/1", {}, {})
    assert not lock_path(old).exists()
    assert lock_path(new).exists()
    filled.close()
    assert names(tmp_path) == {old.name, new.name}
    with Project.open(old) as project:
        assert project.name == "audit"
        assert project.unit_states(1)["classes/1"] == "pending"
    with Project.open(new) as project:
        assert project.name == "new"
        assert project.unit_states(1)["classes/1"] == "done"


def test_save_as_its_own_name_changes_nothing(filled: Project) -> None:
    filled.save_as(filled.path)
    assert filled.value("SELECT count(*) FROM patch") == 10
    with pytest.raises(AuditError, match="another name"):
        filled.save_copy(filled.path)


def test_a_read_only_project_saved_elsewhere_can_be_changed(closed: Path, tmp_path: Path) -> None:
    before = closed.read_bytes()
    with Project.open(closed, read_only=True) as project:
        project.save_as(tmp_path / "mine.parallax")
        assert not project.read_only
        project.rename("mine")
    assert closed.read_bytes() == before


def test_an_existing_file_is_replaced(filled: Project, tmp_path: Path) -> None:
    target = tmp_path / "target.parallax"
    with Project.create(target, "old"):
        pass
    target.with_name("target.parallax-wal").write_bytes(b"left by a crash")
    filled.save_copy(target)
    with Project.open(target) as copy:
        assert copy.name == "audit"
    assert names(tmp_path) >= {target.name}
    assert "target.parallax-wal" not in names(tmp_path)


def test_a_project_that_is_open_is_not_replaced(filled: Project, tmp_path: Path) -> None:
    with Project.create(tmp_path / "other.parallax", "other") as other:
        for save in (filled.save_copy, filled.save_as):
            with pytest.raises(ProjectInUseError):
                save(other.path)
        assert other.name == "other"
    assert filled.path.name == "audit.parallax"


def test_threads_read_and_write_on_while_it_is_saved_elsewhere(
    filled: Project, tmp_path: Path
) -> None:
    stop = threading.Event()
    written = 0

    def read() -> None:
        while not stop.is_set():
            assert filled.value("SELECT count(*) FROM patch") == 10

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            filled.add_run("layers", f"run {written}", {})
            written += 1

    with ThreadPoolExecutor(3) as threads:
        results = [threads.submit(job) for job in (read, read, write)]
        try:
            for number in range(3):
                filled.save_as(tmp_path / f"{number}.parallax")
                filled.save_copy(tmp_path / f"copy of {number}.parallax")
        finally:
            stop.set()
        for result in results:
            result.result()
    assert filled.value("SELECT count(*) FROM run") == 1 + written


@pytest.mark.parametrize("save", ["save_copy", "save_as"])
def test_missing_folder(filled: Project, tmp_path: Path, save: str) -> None:
    with pytest.raises(AuditError, match=r"no folder|could not be found"):
        getattr(filled, save)(tmp_path / "missing" / "copy.parallax")
    assert filled.value("SELECT count(*) FROM patch") == 10


@pytest.mark.parametrize("save", ["save_copy", "save_as"])
def test_write_protected_folder(
    filled: Project, public_folder: Path, unprivileged, save: str
) -> None:
    public_folder.chmod(0o555)
    with unprivileged(), pytest.raises(ProjectNotWritableError, match="write-protected"):
        getattr(filled, save)(public_folder / "copy.parallax")
    assert names(public_folder) == set()
    filled.rename("goes on")
    assert filled.name == "goes on"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from analysis.errors import AuditError
from analysis.project import Project

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
project = Project.open(sys.argv[1])
target = Path(sys.argv[2])
limit = project.path.stat().st_size // 2
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for save in (project.save_copy, project.save_as):
    try:
        save(target)
    except AuditError as problem:
        print(problem.summary)
print(project.path.name, project.value("SELECT count(*) FROM patch"))
print(sorted(entry.name for entry in target.parent.iterdir()), target.read_text())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot be limited there")
def test_no_space_for_a_copy_leaves_both_files_as_they_were(closed: Path, tmp_path: Path) -> None:
    """A real limit on the size of files: writing fails in the middle of the copy."""
    target = tmp_path / "far" / "copy.parallax"
    target.parent.mkdir()
    target.write_text("precious")
    before = closed.read_bytes()
    output = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(closed), str(target)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ).stdout.splitlines()
    assert len(output) == 4
    for line in output[:2]:
        assert "“copy.parallax”" in line
        assert "disk" in line
    assert output[2:] == ["audit.parallax 10", "['copy.parallax'] precious"]
    with Project.open(closed) as project:
        assert project.value("SELECT count(*) FROM patch") == 10
    assert len(closed.read_bytes()) == len(before)


def test_saving_in_a_transaction_is_a_mistake(filled: Project, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), filled.transaction():
        filled.save_as(tmp_path / "new.parallax")
