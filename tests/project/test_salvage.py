"""Damaged files: what was not on a damaged page is saved, and the damaged file stays."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.errors import NewerProjectError, NotAProjectError, ProjectInUseError
from analysis.project.salvage import SalvageReport, TableSalvage, salvage
from analysis.project.schema import PAGE_SIZE

PATCHES = 4000
CONCEPTS = 300


@pytest.fixture(scope="module")
def original(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project large enough for tables of many pages."""
    path = tmp_path_factory.mktemp("original") / "original.parallax"
    shutil.copy(template / "audit.parallax", path)
    with Project.open(path) as project:
        concept = {"side": "b", "model": "B", "layer": "penultimate", "class": "dog"}
        patch = {
            "side": "b",
            "class": "dog",
            "target_model": "B",
            "concept": 0,
            "predictor_model": "A",
            "kind": "over",
            "image": 2,
            "x": 1,
            "y": 2,
            "width": 64,
            "height": 64,
        }
        random_numbers = np.random.default_rng(5)
        project.commit_unit(
            1,
            "classes/1",
            {
                "concept": [{**concept, "concept": index} for index in range(CONCEPTS - 4)],
                "patch": [{**patch, "rank": rank} for rank in range(PATCHES - 10)],
            },
            {f"array {number}": random_numbers.normal(size=100_000) for number in range(4)},
        )
    return path


@pytest.fixture
def damaged(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "damaged.parallax"))


def pages_of(path: Path, table: str, kind: str = "leaf") -> list[int]:
    connection = sqlite3.connect(path)
    try:
        return [
            page
            for (page,) in connection.execute(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path",
                (table, kind),
            )
        ]
    except sqlite3.OperationalError:
        pytest.skip("this SQLite cannot tell which pages belong to a table")
    finally:
        connection.close()


def overwrite(path: Path, pages: list[int], content: Callable[[int], bytes] | None = None) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_SIZE)
            file.write(content(PAGE_SIZE) if content else b"\xa5" * PAGE_SIZE)


def of_table(report: SalvageReport, table: str) -> TableSalvage:
    return next(entry for entry in report.tables if entry.table == table)


def opened(path: Path) -> Project:
    """The salvaged project passes every check that a project must pass."""
    return Project.open(path, quick_check=True)


def salvage_unharmed(damaged: Path) -> tuple[SalvageReport, Path]:
    before = damaged.read_bytes()
    into = damaged.with_name("salvaged.parallax")
    report = salvage(damaged, into)
    assert damaged.read_bytes() == before
    assert sorted(entry.name for entry in damaged.parent.iterdir()) == [damaged.name, into.name]
    return report, into


def test_a_whole_file_is_saved_whole(damaged: Path) -> None:
    report, into = salvage_unharmed(damaged)
    assert report.complete
    assert not report.first_page_restored
    assert "All" in report.summary
    with opened(into) as project, Project.open(damaged, read_only=True) as source:
        for table in (entry.table for entry in report.tables):
            query = f"SELECT * FROM {table} ORDER BY rowid"
            assert sorted(map(tuple, project.rows(query)), key=repr) == sorted(
                map(tuple, source.rows(query)), key=repr
            )


@pytest.mark.parametrize("place", ["start", "middle", "end", "two of the middle", "scattered"])
def test_damaged_leaves_cost_their_own_rows_alone(damaged: Path, place: str) -> None:
    leaves = pages_of(damaged, "patch")
    assert len(leaves) > 8
    chosen = {
        "start": leaves[:1],
        "middle": leaves[4:5],
        "end": leaves[-1:],
        "two of the middle": leaves[3:5],
        "scattered": [leaves[0], leaves[2], leaves[4], leaves[6], leaves[-1]],
    }[place]
    connection = sqlite3.connect(damaged)
    on_pages = dict(connection.execute("SELECT pageno, ncell FROM dbstat WHERE name='patch'"))
    connection.close()
    lost = sum(on_pages[page] for page in chosen)
    overwrite(damaged, chosen)
    report, into = salvage_unharmed(damaged)
    patches = of_table(report, "patch")
    assert patches.recovered == PATCHES - lost
    assert patches.end_lost == (leaves[-1] in chosen)
    assert patches.lost == lost - (on_pages[leaves[-1]] if patches.end_lost else 0)
    assert not report.complete
    assert [entry.table for entry in report.tables if not entry.complete] == ["patch"]
    assert "patch" in report.summary
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM patch") == PATCHES - lost
        assert project.value("SELECT count(*) FROM concept") == CONCEPTS
        assert project.read_array(1, "array 3").shape == (100_000,)
        assert "alvaged" in project.value("SELECT message FROM run")


def test_a_damaged_index_costs_nothing(damaged: Path) -> None:
    for index in ("patch_by_concept", "patch_by_image", "sqlite_autoindex_concept_1"):
        overwrite(damaged, pages_of(damaged, index))
    with pytest.raises(AuditError, match="damaged"):
        Project.open(damaged)
    report, into = salvage_unharmed(damaged)
    assert report.complete
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM patch WHERE class = 'dog'") == PATCHES - 10


def test_a_damaged_array_is_named_and_the_others_stay(damaged: Path) -> None:
    overflow = pages_of(damaged, "array_chunk", "overflow")
    overwrite(damaged, overflow[60:61])
    report, into = salvage_unharmed(damaged)
    assert len(report.lost_arrays) == 1
    lost = report.lost_arrays[0].removeprefix("1/")
    with opened(into) as project:
        assert not project.has_array(1, lost)
        kept = {"array 0", "array 1", "array 2", "array 3", "class/cat/a/real"} - {lost}
        for name in kept:
            assert project.read_array(1, name).size in (100_000, 40)
        assert project.value("SELECT count(*) FROM array") == len(kept)
        assert project.value("SELECT count(DISTINCT array) FROM array_chunk") == len(kept)


def test_lost_models_and_images_get_stand_ins(damaged: Path) -> None:
    """Otherwise the results that name them could not stay."""
    for table in ("model", "image", "image_set", "run"):
        overwrite(damaged, pages_of(damaged, table))
    report, into = salvage_unharmed(damaged)
    with opened(into) as project:
        assert [tuple(row) for row in project.rows("SELECT name FROM model ORDER BY name")] == [
            ("A",),
            ("B",),
        ]
        assert project.value("SELECT count(*) FROM patch") == PATCHES
        assert project.value("SELECT count(*) FROM concept") == CONCEPTS
        assert project.value("SELECT count(*) FROM image") == 2
        assert project.resolve_image(1) is None
        assert project.value("SELECT state FROM run") == "cancelled"
        project.rename_model("A", "restored")
    assert not report.complete


@pytest.mark.parametrize("content", [None, lambda size: bytes(size), random.Random(2).randbytes])
def test_a_lost_first_page_is_restored(damaged: Path, content) -> None:
    overwrite(damaged, [1], content)
    with pytest.raises(NotAProjectError):
        Project.open(damaged)
    report, into = salvage_unharmed(damaged)
    assert report.first_page_restored
    assert report.complete
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM patch") == PATCHES
        assert project.name == "audit"


def test_a_compacted_file_with_a_lost_first_page_is_restored(damaged: Path) -> None:
    compacted = damaged.with_name("compacted.parallax")
    with Project.open(damaged) as project:
        project.save_copy(compacted)
    damaged.unlink()
    overwrite(compacted, [1])
    report, _ = salvage_unharmed(compacted)
    assert report.first_page_restored
    assert report.complete


def test_a_damaged_catalogue_below_a_sound_header_is_restored(damaged: Path) -> None:
    leaf = pages_of(damaged, "sqlite_schema")[0]
    with damaged.open("r+b") as file:
        file.seek(leaf * PAGE_SIZE - 3000)
        file.write(b"\xa5" * 2000)
    with pytest.raises(AuditError):
        Project.open(damaged)
    report, _ = salvage_unharmed(damaged)
    assert report.first_page_restored
    assert report.complete


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_was_cut_off_gives_its_beginning(damaged: Path, share: float) -> None:
    size = damaged.stat().st_size
    with damaged.open("r+b") as file:
        file.truncate(int(size * share))
    with pytest.raises(AuditError):
        Project.open(damaged)
    report, into = salvage_unharmed(damaged)
    assert not report.complete
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM model") == 2
        assert project.value("SELECT count(*) FROM image") == 3
        for row in project.rows("SELECT name FROM array"):
            assert project.read_array(1, row["name"]).size


def test_random_damage_never_stops_it(damaged: Path) -> None:
    dice = random.Random(11)
    whole = damaged.read_bytes()
    into = damaged.with_name("salvaged.parallax")
    for _ in range(8):
        data = bytearray(whole)
        for _ in range(30):
            place = dice.randrange(PAGE_SIZE, len(data) - 200)
            data[place : place + 200] = dice.randbytes(200)
        damaged.write_bytes(data)
        report = salvage(damaged, into)
        with opened(into) as project:
            recovered = sum(entry.recovered for entry in report.tables)
            counted = sum(
                project.value(f"SELECT count(*) FROM {entry.table}") for entry in report.tables
            )
            assert counted == recovered > 0
        into.unlink()


def test_rows_that_break_the_rules_are_dropped(damaged: Path) -> None:
    connection = sqlite3.connect(damaged)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (side IN (''a'', ''b''))', '')"
        " WHERE name = 'concept'"
    )
    connection.commit()
    connection.close()
    connection = sqlite3.connect(damaged)
    connection.execute("UPDATE concept SET side = 'c' WHERE concept = 0")
    connection.execute("UPDATE concept SET class = CAST(x'ff' AS TEXT) WHERE concept = 1")
    connection.commit()
    connection.close()
    report, into = salvage_unharmed(damaged)
    assert of_table(report, "concept").dropped == 4
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM concept") == CONCEPTS - 4


def test_last_changes_of_a_crash_are_included(damaged: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with Project.open(damaged) as project:
        project.rename("changed just before")
        for ending in ("", "-wal"):
            shutil.copy(f"{damaged}{ending}", crashed / f"damaged.parallax{ending}")
    salvage(crashed / "damaged.parallax", tmp_path / "salvaged.parallax")
    with opened(tmp_path / "salvaged.parallax") as project:
        assert project.name == "changed just before"


def test_what_cannot_be_salvaged(damaged: Path, tmp_path: Path) -> None:
    into = tmp_path / "salvaged.parallax"
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(3).randbytes(50 * PAGE_SIZE))
    with pytest.raises(NotAProjectError, match="Nothing could be read"):
        salvage(noise, into)
    with pytest.raises(AuditError, match="could not be found"):
        salvage(tmp_path / "missing.parallax", into)
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(NotAProjectError, match="another program"):
        salvage(other, into)
    with pytest.raises(AuditError, match="exists already"):
        salvage(damaged, noise)
    with Project.open(damaged), pytest.raises(ProjectInUseError):
        salvage(damaged, into)
    with damaged.open("r+b") as file:
        file.seek(60)
        file.write((99).to_bytes(4, "big"))
    with pytest.raises(NewerProjectError):
        salvage(damaged, into)
    assert not into.exists()
    assert not list(tmp_path.glob("*.lock"))


def test_strange_things_are_left_behind(damaged: Path) -> None:
    connection = sqlite3.connect(damaged)
    connection.execute("CREATE TABLE surprise (data BLOB)")
    connection.execute("CREATE VIEW strange AS SELECT * FROM run")
    connection.commit()
    connection.close()
    report, into = salvage_unharmed(damaged)
    assert report.first_page_restored
    with opened(into) as project:
        assert project.value("SELECT count(*) FROM patch") == PATCHES
