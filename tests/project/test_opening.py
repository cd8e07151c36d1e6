"""Creating, opening and closing; what is refused, and how it is said."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import __version__
from analysis.errors import AuditError
from analysis.project import Project, checks
from analysis.project.attachment import copy_with_journals
from analysis.project.errors import (
    DamagedProjectError,
    NewerProjectError,
    NotAProjectError,
    ProjectClosedError,
    ProjectNotWritableError,
)
from analysis.project.schema import APPLICATION_ID


def change_header(path: Path, offset: int, value: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(value.to_bytes(4, "big"))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_file())


def test_created_project_is_empty_named_and_alone_after_closing(tmp_path: Path) -> None:
    path = tmp_path / "first look.parallax"
    with Project.create(path) as project:
        assert project.name == "first look"
        assert project.path == path.resolve()
        assert not project.read_only
        assert project.value("SELECT version_created FROM project") == __version__
        assert project.value("PRAGMA application_id") == APPLICATION_ID
        assert project.value("PRAGMA journal_mode") == "wal"
        assert project.value("PRAGMA foreign_keys") == 1
    assert names(tmp_path) == [path.name]
    assert not checks.read_header(path).write_ahead


def test_every_table_is_strict(project: Project) -> None:
    tables = project.rows("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    assert {row["name"] for row in tables if not row["strict"]} == {"sqlite_schema"}


def test_create_refuses_an_existing_file(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(AuditError, match="exists already"):
        Project.create(path)
    assert path.read_text() == "mine"
    assert names(path.parent) == [path.name]


def test_create_in_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="no folder"):
        Project.create(tmp_path / "missing" / "a.parallax")


def test_contents_are_there_again(filled: Project) -> None:
    filled.rename("Pets")
    filled.close()
    with Project.open(filled.path) as again:
        assert again.name == "Pets"
        assert again.value("SELECT count(*) FROM patch") == 10


def test_opening_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="There is no project file") as caught:
        Project.open(tmp_path / "missing.parallax")
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", NotAProjectError),
        (b"hello", NotAProjectError),
        (random.Random(1).randbytes(100_000), NotAProjectError),
        (b"SQLite format 3\0" + bytes(20), DamagedProjectError),
        (b"SQLite", DamagedProjectError),
    ],
    ids=["empty", "short text", "random bytes", "cut in the header", "cut in the first word"],
)
def test_other_files_are_refused_before_they_are_opened(
    path: Path, content: bytes, problem: type[AuditError], read_only: bool
) -> None:
    path.write_bytes(content)
    with pytest.raises(problem) as caught:
        Project.open(path, read_only=read_only)
    assert caught.value.summary.startswith("“audit.parallax”")
    assert caught.value.hint
    assert path.read_bytes() == content
    assert names(path.parent) == [path.name]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAProjectError, match="folder"):
        Project.open(tmp_path)


def test_another_programs_database_is_refused(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(NotAProjectError, match="another program"):
        Project.open(path)


@pytest.mark.parametrize("read_only", [False, True])
def test_newer_versions_say_what_they_need(closed: Path, read_only: bool) -> None:
    change_header(closed, 60, 99)
    before = closed.read_bytes()
    with pytest.raises(NewerProjectError, match="needs a newer version of Parallax"):
        Project.open(closed, read_only=read_only)
    assert closed.read_bytes() == before
    assert names(closed.parent) == [closed.name]


def test_a_project_without_version_is_damaged(closed: Path) -> None:
    change_header(closed, 60, 0)
    with pytest.raises(DamagedProjectError):
        Project.open(closed)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER surprise AFTER INSERT ON run BEGIN DELETE FROM concept; END",
        "CREATE VIEW surprise AS SELECT * FROM run",
        "CREATE TABLE surprise (data BLOB)",
        "ALTER TABLE concept ADD COLUMN surprise TEXT",
        "CREATE INDEX surprise ON run (upper(name))",
        "CREATE VIRTUAL TABLE surprise USING fts5(text)",
        "DROP INDEX patch_by_image",
    ],
)
def test_anything_that_parallax_does_not_put_there_is_refused(
    closed: Path, statement: str, read_only: bool
) -> None:
    connection = sqlite3.connect(closed)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = closed.read_bytes()
    problem = DamagedProjectError if statement.startswith("DROP") else NotAProjectError
    with pytest.raises(problem):
        Project.open(closed, read_only=read_only)
    assert closed.read_bytes() == before
    assert names(closed.parent) == [closed.name]


def test_a_harmless_analyze_is_accepted(closed: Path) -> None:
    connection = sqlite3.connect(closed)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    with Project.open(closed) as project:
        assert project.value("SELECT count(*) FROM concept") == 4


def damage_last_page(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 16384)
        file.write(b"\xa5" * 16384)


def test_damage_is_found_on_opening_and_can_be_looked_at(closed: Path) -> None:
    damage_last_page(closed)
    with pytest.raises(DamagedProjectError, match="damaged") as caught:
        Project.open(closed)
    assert "alvage" in caught.value.hint
    with Project.open(closed, read_only=True) as project:
        assert project.value("SELECT count(*) FROM model") == 2
        assert "damaged" in project.notes[0]


def test_the_check_of_every_page_can_be_left_out(closed: Path) -> None:
    damage_last_page(closed)
    with Project.open(closed, quick_check=False) as project:
        assert project.value("SELECT count(*) FROM model") == 2


def test_read_only_changes_nothing_at_all(closed: Path) -> None:
    before = closed.read_bytes()
    with Project.open(closed, read_only=True) as project:
        assert project.read_only
        with pytest.raises(ProjectNotWritableError, match="read-only"), project.transaction():
            pytest.fail("a transaction in a read-only project")
        with pytest.raises(AuditError), project.reading() as connection:
            connection.execute("DELETE FROM model")
        assert project.thumbnail(1) is not None
    assert closed.read_bytes() == before
    assert names(closed.parent) == [closed.name]


def test_reading_connections_cannot_write(filled: Project) -> None:
    with pytest.raises(AuditError):
        filled.rows("DELETE FROM model")
    assert filled.value("SELECT count(*) FROM model") == 2


def test_write_protected_file_and_folder(closed: Path, public_folder: Path, unprivileged) -> None:
    file = public_folder / "audit.parallax"
    file.write_bytes(closed.read_bytes())
    file.chmod(0o444)
    public_folder.chmod(0o555)
    with unprivileged():
        with pytest.raises(ProjectNotWritableError) as caught:
            Project.open(file)
        assert "read-only" in caught.value.hint
        with Project.open(file, read_only=True) as project:
            assert project.value("SELECT count(*) FROM patch") == 10


def test_write_protected_file_in_a_writable_folder(
    closed: Path, public_folder: Path, unprivileged
) -> None:
    file = public_folder / "audit.parallax"
    file.write_bytes(closed.read_bytes())
    file.chmod(0o444)
    public_folder.chmod(0o777)
    with unprivileged(), pytest.raises(ProjectNotWritableError):
        Project.open(file)
    assert names(public_folder) == [file.name]


def test_project_of_a_crash_on_a_write_protected_medium(
    filled: Project, public_folder: Path, unprivileged
) -> None:
    """Its last changes are in the journal beside it, which cannot be played in there."""
    file = public_folder / "audit.parallax"
    filled.rename("changed just before")
    copy_with_journals(filled.path, file)
    assert (public_folder / "audit.parallax-wal").stat().st_size > 0
    public_folder.chmod(0o555)
    with unprivileged(), Project.open(file, read_only=True) as project:
        assert project.name == "changed just before"
    assert names(public_folder) == [file.name, f"{file.name}-wal"]


def test_write_ahead_project_without_journal_on_a_write_protected_medium(
    closed: Path, public_folder: Path, unprivileged
) -> None:
    connection = sqlite3.connect(closed)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert checks.read_header(closed).write_ahead
    file = public_folder / "audit.parallax"
    file.write_bytes(closed.read_bytes())
    public_folder.chmod(0o555)
    with unprivileged(), Project.open(file, read_only=True) as project:
        assert project.value("SELECT count(*) FROM patch") == 10


def test_a_copy_of_a_crash_is_whole_again(filled: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy.parallax"
    filled.rename("changed just before")
    copy_with_journals(filled.path, copy)
    with Project.open(copy) as project:
        assert project.name == "changed just before"
    assert [name for name in names(tmp_path) if name.startswith("copy")] == [copy.name]


def test_closed_projects_say_so(filled: Project) -> None:
    filled.close()
    filled.close()
    assert filled.closed
    with pytest.raises(ProjectClosedError):
        filled.rows("SELECT 1")
    with pytest.raises(ProjectClosedError), filled.transaction():
        pytest.fail("a transaction in a closed project")


def test_runs_that_were_under_way_can_be_resumed(filled: Project) -> None:
    filled.set_run_state(1, "running")
    with filled.transaction() as connection:
        connection.execute("UPDATE work_unit SET state = 'running' WHERE key = 'classes/1'")
    filled.close()
    with Project.open(filled.path, read_only=True) as project:
        assert project.value("SELECT state FROM run") == "running"
    with Project.open(filled.path) as project:
        row = project.row("SELECT state, message FROM run")
        assert row is not None
        assert row["state"] == "cancelled"
        assert "Resume" in row["message"]
        assert project.unit_states(1) == {"classes/0": "done", "classes/1": "pending"}


def test_links_lead_to_the_same_project(closed: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.parallax"
    try:
        link.symlink_to(closed)
    except OSError:
        pytest.skip("no links here")
    with Project.open(link) as project:
        assert project.path == closed.resolve()
        with pytest.raises(AuditError, match="already open"):
            Project.open(closed)


def test_opening_needs_no_heavy_library(closed: Path) -> None:
    script = (
        "import sys; from analysis.project import Project, tables, salvage;"
        f"Project.open({str(closed)!r}).close();"
        "heavy = {'torch', 'timm', 'sklearn', 'scipy', 'matplotlib', 'PIL', 'PySide6'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    output = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert output.stdout.strip() == "[]"
