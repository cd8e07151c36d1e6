"""The findings of a project as lists show them: read, filtered, sorted, in groups. No Qt here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.project import Project
from analysis.project.findings import SEVERITIES, VERDICTS


@dataclass(frozen=True)
class FindingEntry:
    """A finding without its view and its picture."""

    id: int
    title: str
    note: str
    verdict: str
    severity: str
    tags: tuple[str, ...]
    perspective: str
    run: int | None
    created: str
    changed: str


@dataclass(frozen=True)
class FindingFilter:
    """What is listed, in which order, in which groups; empty texts: everything."""

    words: str = ""
    verdict: str = ""
    severity: str = ""
    tag: str = ""
    order: str = "newest"
    group: str = ""


ORDERS: Mapping[str, str] = {
    "newest": "newest first",
    "oldest": "oldest first",
    "severity": "most severe first",
    "title": "by title",
}
GROUPS: Mapping[str, str] = {
    "": "not grouped",
    "verdict": "by verdict",
    "severity": "by severity",
    "tag": "by tag",
    "perspective": "by view",
}
NO_TAG = "no tag"


def read_finding_entries(project: Project) -> tuple[FindingEntry, ...]:
    """All findings, the oldest first."""
    rows = project.rows(
        "SELECT id, title, note, verdict, severity, tags, perspective, run, created, changed"
        " FROM finding ORDER BY id"
    )
    return tuple(
        FindingEntry(
            row["id"],
            row["title"],
            row["note"],
            row["verdict"],
            row["severity"],
            _texts(row["tags"]),
            row["perspective"],
            row["run"],
            row["created"],
            row["changed"],
        )
        for row in rows
    )


def tags_of(entries: Sequence[FindingEntry]) -> tuple[str, ...]:
    """The tags in use, by the alphabet."""
    return tuple(sorted({tag for entry in entries for tag in entry.tags}, key=str.casefold))


def arrange(
    entries: Sequence[FindingEntry], wanted: FindingFilter, views: Mapping[str, str]
) -> list[tuple[str, list[FindingEntry]]]:
    """Groups with their titles; one without a title where nothing is grouped.

    :param views: titles of the perspectives by their ids. With tags a finding may be in several
        groups.
    """
    kept = [entry for entry in entries if _fits(entry, wanted, views)]
    kept.sort(key=_ORDERS.get(wanted.order, _newest))
    if not wanted.group:
        return [("", kept)] if kept else []
    groups: dict[str, list[FindingEntry]] = {title: [] for title in _first_titles(wanted.group)}
    for entry in kept:
        for title in _titles(entry, wanted.group, views):
            groups.setdefault(title, []).append(entry)
    titles = list(groups)
    if wanted.group in ("tag", "perspective"):
        titles.sort(key=lambda title: (title == NO_TAG, title.casefold()))
    return [(title, groups[title]) for title in titles if groups[title]]


def _fits(entry: FindingEntry, wanted: FindingFilter, views: Mapping[str, str]) -> bool:
    if wanted.verdict and entry.verdict != wanted.verdict:
        return False
    if wanted.severity and entry.severity != wanted.severity:
        return False
    if wanted.tag and wanted.tag not in entry.tags:
        return False
    view = views.get(entry.perspective, "")
    text = " ".join((entry.title, entry.note, entry.verdict, view, *entry.tags)).casefold()
    return all(word in text for word in wanted.words.casefold().split())


def _newest(entry: FindingEntry) -> Any:
    return -entry.id


def _oldest(entry: FindingEntry) -> Any:
    return entry.id


def _by_severity(entry: FindingEntry) -> Any:
    known = entry.severity in SEVERITIES
    return (-SEVERITIES.index(entry.severity) if known else 1, -entry.id)  # type: ignore[arg-type]


def _by_title(entry: FindingEntry) -> Any:
    return (entry.title.casefold(), entry.id)


_ORDERS: Mapping[str, Callable[[FindingEntry], Any]] = {
    "newest": _newest,
    "oldest": _oldest,
    "severity": _by_severity,
    "title": _by_title,
}


def _first_titles(group: str) -> tuple[str, ...]:
    """Groups that stand in an order of their own."""
    return {"verdict": tuple(VERDICTS), "severity": tuple(reversed(SEVERITIES))}.get(group, ())


def _titles(entry: FindingEntry, group: str, views: Mapping[str, str]) -> tuple[str, ...]:
    if group == "verdict":
        return (entry.verdict,)
    if group == "severity":
        return (entry.severity,)
    if group == "tag":
        return entry.tags or (NO_TAG,)
    return (views.get(entry.perspective, entry.perspective or "elsewhere"),)


def _texts(text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
