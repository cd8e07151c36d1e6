"""Lists of findings: filtered, sorted, grouped."""

from __future__ import annotations

import dataclasses

from analysis.project import Project
from analysis.project.findings import Finding
from app.finding_entries import (
    NO_TAG,
    FindingEntry,
    FindingFilter,
    arrange,
    read_finding_entries,
    tags_of,
)
from app.finding_words import InFocus, suggested_title
from app.session import Snapshot

VIEWS = {"concepts": "Concepts", "layers": "Layers"}


def _entry(number: int, title: str, verdict: str, severity: str, *tags: str, view: str = "layers"):
    return FindingEntry(number, title, "", verdict, severity, tags, view, None, "", "")


ENTRIES = (
    _entry(1, "Snow", "spurious", "high", "background", view="concepts"),
    _entry(2, "late layers", "expected", "low"),
    _entry(3, "Ärmel", "spurious", "medium", "Text", "background"),
)


def _ids(**wanted: str) -> list[tuple[str, list[int]]]:
    groups = arrange(ENTRIES, FindingFilter(**wanted), VIEWS)
    return [(title, [entry.id for entry in entries]) for title, entries in groups]


def test_orders() -> None:
    assert _ids() == [("", [3, 2, 1])]
    assert _ids(order="oldest") == [("", [1, 2, 3])]
    assert _ids(order="severity") == [("", [1, 3, 2])]
    assert _ids(order="title") == [("", [2, 1, 3])]


def test_filters() -> None:
    assert _ids(verdict="spurious", severity="high") == [("", [1])]
    assert _ids(tag="background") == [("", [3, 1])]
    assert _ids(words="SNOW concepts") == [("", [1])]
    assert _ids(words="back ärm") == [("", [3])]
    assert _ids(words="nothing") == []


def test_groups() -> None:
    assert _ids(group="verdict") == [("expected", [2]), ("spurious", [3, 1])]
    assert _ids(group="severity") == [("high", [1]), ("medium", [3]), ("low", [2])]
    assert _ids(group="tag") == [("background", [3, 1]), ("Text", [3]), (NO_TAG, [2])]
    assert _ids(group="perspective") == [("Concepts", [1]), ("Layers", [3, 2])]


def test_unknown_words_of_another_program_are_listed_all_the_same() -> None:
    odd = dataclasses.replace(ENTRIES[0], verdict="odd", severity="extreme", perspective="gone")
    for group in ("", "verdict", "severity", "tag", "perspective"):
        for order in ("newest", "severity", "unheard of"):
            groups = arrange([odd], FindingFilter(order=order, group=group), VIEWS)
            assert [entries for _title, entries in groups] == [[odd]]


def test_entries_are_read_from_the_project(project_file) -> None:
    with Project.open(project_file) as project:
        project.add_finding(Finding("one", tags=("b", "a")))
        project.add_finding(Finding("two", tags=("a",), run=2, perspective="concepts"))
        with project.transaction() as connection:
            connection.execute("UPDATE finding SET tags = 'rubbish' WHERE id = 1")
        entries = read_finding_entries(project)
    assert [(one.title, one.tags, one.run) for one in entries] == [
        ("one", (), None),
        ("two", ("a",), 2),
    ]
    assert tags_of(entries) == ("a",)


def test_titles_are_suggested_from_what_is_in_focus() -> None:
    pair = Snapshot(model_a="A", model_b="B", layer_a="stem", layer_b="head")
    assert suggested_title("layers", "Layers", InFocus(pair)) == "stem of A and head of B"
    assert suggested_title("concepts", "Concepts", InFocus(pair)) == "Concepts"
    several = InFocus(Snapshot(models=("A", "B")))
    assert suggested_title("embedding", "Embedding", several) == "A, B in the embedding"
    striped = InFocus(dataclasses.replace(pair, semantic_concept="striped"))
    assert suggested_title("semantics", "Semantics", striped) == "“striped” in A and B"
    long = Snapshot(models=("x" * 500,))
    assert len(suggested_title("embedding", "Embedding", InFocus(long))) == 200
