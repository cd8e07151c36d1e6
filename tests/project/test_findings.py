"""Findings in the project file: what is written comes back, and nothing else is taken."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.findings import (
    LONGEST_NOTE,
    LONGEST_TITLE,
    MOST_TAGS,
    Finding,
    FindingPicture,
)
from analysis.project.tables import export_table, table_names


def png(width: int = 3, height: int = 2) -> bytes:
    """A whole grey PNG, made by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


FINDING = Finding(
    title="  A watermark decides ",
    note="Seen on 9 of 10 patches.\n=1+1",
    verdict="spurious",
    severity="high",
    tags=("watermark", " text ", "watermark", ""),
    perspective="concepts",
    view_state={"session": {"concept": 7}, "view": {"zoom": [0.5, 1.5]}},
)
PICTURE = FindingPicture(3, 2, png())


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "a.parallax") as made:
        yield made


def test_a_finding_comes_back_as_it_was(project: Project, tmp_path: Path) -> None:
    number = project.add_finding(FINDING, PICTURE)
    project.close()
    with Project.open(tmp_path / "a.parallax") as again:
        found = again.finding(number)
        assert found.title == "A watermark decides"
        assert found.tags == ("watermark", "text")
        assert (found.note, found.verdict, found.severity) == (FINDING.note, "spurious", "high")
        assert found.view_state == FINDING.view_state
        assert found.created == found.changed != ""
        assert again.finding_picture(number) == PICTURE
        assert again.findings() == (found,)


def test_what_was_removed_comes_back_with_its_id(project: Project) -> None:
    first, second = project.add_finding(FINDING, PICTURE), project.add_finding(FINDING)
    before = project.finding(first)
    project.remove_finding(first)
    assert [one.id for one in project.findings()] == [second]
    assert project.finding_picture(first) is None
    assert project.add_finding(before, PICTURE) == first
    assert project.finding(first) == before
    assert project.finding_picture(first) == PICTURE


def test_a_change_keeps_place_picture_and_date(project: Project) -> None:
    number = project.add_finding(FINDING, PICTURE)
    before = project.finding(number)
    changed = replace(before, title="Text decides", tags=(), view_state={}, changed="2030-01-01")
    project.change_finding(changed)
    after = project.finding(number)
    assert (after.title, after.tags, after.changed) == ("Text decides", (), "2030-01-01")
    assert (after.view_state, after.created) == (before.view_state, before.created)
    assert project.finding_picture(number) == PICTURE


def test_a_finding_outlives_its_run(project: Project) -> None:
    run = project.add_run("concepts", "first", {})
    number = project.add_finding(replace(FINDING, run=run))
    project.delete_run(run)
    assert project.finding(number).run is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "},
        {"title": "x" * (LONGEST_TITLE + 1)},
        {"note": "x" * (LONGEST_NOTE + 1)},
        {"verdict": "nice"},
        {"severity": "extreme"},
        {"tags": tuple(f"tag {n}" for n in range(MOST_TAGS + 1))},
        {"tags": ("x" * 61,)},
        {"view_state": {"ids": list(range(100_000))}},
    ],
)
def test_what_cannot_be_kept_is_said(project: Project, wrong: dict) -> None:
    with pytest.raises(AuditError) as caught:
        project.add_finding(replace(FINDING, **wrong))
    assert caught.value.hint
    assert project.findings() == ()


@pytest.mark.parametrize(
    "picture",
    [
        FindingPicture(4, 2, png()),
        FindingPicture(3, 2, b"GIF89a" + bytes(60)),
        FindingPicture(3, 2, png()[:20]),
        FindingPicture(9000, 2, png(9000, 2)),
    ],
)
def test_a_wrong_picture_leaves_no_finding(project: Project, picture: FindingPicture) -> None:
    with pytest.raises(AuditError):
        project.add_finding(FINDING, picture)
    assert project.findings() == ()


def test_what_is_not_there_cannot_be_changed(project: Project) -> None:
    with pytest.raises(AuditError):
        project.change_finding(replace(FINDING, id=3))
    with pytest.raises(AuditError):
        project.finding(3)


def test_damaged_entries_do_no_harm(project: Project) -> None:
    number = project.add_finding(FINDING, PICTURE)
    with project.transaction() as connection:
        connection.execute("UPDATE finding SET tags = '{', view_state = '[1'")
        connection.execute("UPDATE finding_picture SET data = x'00'")
    found = project.finding(number)
    assert (found.tags, found.view_state) == ((), {})
    assert project.finding_picture(number) is None


def test_findings_are_a_table_without_the_settings_of_views(project, tmp_path) -> None:
    project.add_finding(FINDING, PICTURE)
    columns = {one.name: one.columns for one in table_names(project)}["finding"]
    assert "view_state" not in columns
    assert export_table(project, "finding", tmp_path / "findings.json") == 1
    (row,) = json.loads((tmp_path / "findings.json").read_text())
    assert (row["title"], row["tags"]) == ("A watermark decides", ["watermark", "text"])
    assert export_table(project, "finding", tmp_path / "findings.csv") == 1
    assert "spurious,high" in (tmp_path / "findings.csv").read_text()
