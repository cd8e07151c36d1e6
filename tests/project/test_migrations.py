"""From version to version; an injected version after the last stands for those to come."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.project import Project, checks, migrations
from analysis.project.errors import NewerProjectError
from analysis.project.migrations import Migration, execute_all
from analysis.project.schema import RESULT_TABLES

FIXTURES = Path(__file__).parent / "fixtures"

LATEST = migrations.latest_version()

NEXT = Migration(
    LATEST + 1,
    "remarks",
    execute_all(
        [
            "CREATE TABLE remark (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
            "ALTER TABLE run ADD COLUMN colour TEXT",
            "INSERT INTO remark (text) SELECT name FROM model",
        ]
    ),
)


def fail_half_way(connection: sqlite3.Connection) -> None:
    NEXT.apply(connection)
    connection.execute("DELETE FROM patch")
    connection.execute("INSERT INTO remark (text) VALUES (NULL)")


def leave_orphans(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM image")


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch):
    def install(migration: Migration = NEXT) -> None:
        monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, migration))

    return install


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(FIXTURES / "version_1.parallax", tmp_path / "old.parallax"))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_every_version_ever_written_still_opens(tmp_path: Path, version: int) -> None:
    path = tmp_path / "old.parallax"
    shutil.copy(FIXTURES / f"version_{version}.parallax", path)
    assert checks.read_header(path).version == version
    with Project.open(path, quick_check=True) as project:
        assert project.name == f"Birds, version {version}"
        assert project.value("SELECT count(*) FROM concept") == 20
        assert project.value("SELECT path FROM image WHERE id = 2") == "finch/1.jpg"
        array = project.read_array(1, "class/finch/a/real")
        assert array.shape == (6, 10)
        assert array[1, 2] == 12
        assert list(project.unit_states(1).values()) == ["done", "pending"]


def test_measures_of_layers_of_before_have_no_doubt_yet(tmp_path: Path) -> None:
    path = Path(shutil.copy(FIXTURES / "version_5.parallax", tmp_path / "old.parallax"))
    names = [
        f"{measure}_{part}"
        for measure in ("mmcs_spearman", "cka", "rsa", "procrustes")
        for part in ("low", "high", "null_95")
    ]
    with Project.open(path) as project:
        row = dict(project.row("SELECT * FROM layer_similarity"))
        assert row["mmcs_pearson"] == 0.7
        assert {row[name] for name in names} == {None}
    with Project.open(FIXTURES / "version_6.parallax", read_only=True) as project:
        row = dict(project.row("SELECT * FROM layer_similarity"))
        assert all(0 < row[name] < 1 for name in names)


def test_migrating_keeps_everything_and_a_copy(old: Path, next_version) -> None:
    original = old.read_bytes()
    next_version()
    with Project.open(old) as project:
        assert project.value("PRAGMA user_version") == LATEST + 1
        assert project.value("SELECT count(*) FROM remark") == 2
        assert project.value("SELECT colour FROM run") is None
        assert project.value("SELECT count(*) FROM concept") == 20
        assert project.value("PRAGMA foreign_keys") == 1
        assert "old.version-1.parallax" in project.notes[0]
    assert names(old.parent) == ["old.parallax", "old.version-1.parallax"]
    assert old.read_bytes() != original
    with Project.open(old) as again:
        assert again.notes == ()
    assert names(old.parent) == ["old.parallax", "old.version-1.parallax"]


def test_the_copy_opens_in_the_older_parallax(
    old: Path, next_version, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = migrations.MIGRATIONS
    next_version()
    Project.open(old).close()
    monkeypatch.setattr(migrations, "MIGRATIONS", released)
    with pytest.raises(NewerProjectError):
        Project.open(old)
    with Project.open(old.with_name("old.version-1.parallax")) as project:
        assert project.value("SELECT count(*) FROM concept") == 20


def test_a_copy_that_is_there_is_not_overwritten(old: Path, next_version) -> None:
    old.with_name("old.version-1.parallax").write_text("precious")
    next_version()
    Project.open(old).close()
    assert names(old.parent) == [
        "old.parallax",
        "old.version-1-2.parallax",
        "old.version-1.parallax",
    ]
    assert old.with_name("old.version-1.parallax").read_text() == "precious"


@pytest.mark.parametrize("apply", [fail_half_way, leave_orphans])
def test_a_migration_that_fails_half_way_leaves_the_file_unharmed(
    old: Path, next_version, apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = old.read_bytes()
    released = migrations.MIGRATIONS
    next_version(Migration(LATEST + 1, "fails", apply))
    with pytest.raises(AuditError, match="could not be brought to this version") as caught:
        Project.open(old)
    assert "old.version-1.parallax" in caught.value.hint
    assert old.read_bytes() == original
    assert names(old.parent) == ["old.parallax", "old.version-1.parallax"]
    monkeypatch.setattr(migrations, "MIGRATIONS", released)
    for path in (old, old.with_name("old.version-1.parallax")):
        with Project.open(path) as project:
            assert project.value("SELECT count(*) FROM patch") == 6


def test_no_space_for_the_copy_means_no_migration(
    old: Path, next_version, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = old.read_bytes()
    next_version()

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analysis.project.replacing.os.fsync", no_space)
    with pytest.raises(AuditError, match="disk is full"):
        Project.open(old)
    assert old.read_bytes() == original
    assert names(old.parent) == ["old.parallax"]


def test_a_crashed_project_is_migrated_with_its_last_changes(
    old: Path, tmp_path: Path, next_version
) -> None:
    crashed = tmp_path / "crashed" / "old.parallax"
    crashed.parent.mkdir()
    with Project.open(old) as project:
        project.rename("changed just before")
        for ending in ("", "-wal"):
            shutil.copy(f"{old}{ending}", f"{crashed}{ending}")
    next_version()
    with Project.open(crashed) as project:
        assert project.name == "changed just before"
        assert project.value("PRAGMA user_version") == LATEST + 1
    backup = sqlite3.connect(crashed.with_name(f"old.version-{LATEST}.parallax"))
    assert backup.execute("SELECT name FROM project").fetchone() == ("changed just before",)
    backup.close()


def test_older_projects_are_read_without_being_changed(old: Path, next_version) -> None:
    original = old.read_bytes()
    next_version()
    with Project.open(old, read_only=True) as project:
        assert project.value("PRAGMA user_version") == LATEST + 1
        assert project.value("SELECT count(*) FROM remark") == 2
        assert project.path == old
    assert old.read_bytes() == original
    assert names(old.parent) == [old.name]


def test_the_list_of_migrations_is_without_gaps() -> None:
    versions = [migration.version for migration in migrations.MIGRATIONS]
    assert versions == list(range(1, len(versions) + 1))


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_a_version_is_what_was_released(version: int) -> None:
    """Released versions never change: the fixture holds the tables that files out there have."""
    connection = sqlite3.connect(FIXTURES / f"version_{version}.parallax")
    stored = {
        (kind, name): " ".join(sql.split())
        for kind, name, sql in connection.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        )
    }
    connection.close()
    assert stored == checks.expected_structure(version)


def test_the_fixture_of_the_latest_version_has_something_in_every_table() -> None:
    with Project.open(FIXTURES / f"version_{LATEST}.parallax", read_only=True) as project:
        for table in RESULT_TABLES:
            assert project.value(f"SELECT count(*) FROM {table}") > 0, table
