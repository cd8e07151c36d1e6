"""Findings: what someone has judged of what a view shows, as a project file keeps them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from analysis.errors import AuditError
from analysis.project.concept_sets import ProjectConceptSets
from analysis.project.entries import insert_entry
from analysis.project.values import json_mapping, now, to_sql

Verdict = Literal["expected", "suspicious", "spurious", "needs review"]
Severity = Literal["low", "medium", "high"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

LONGEST_TITLE = 200
LONGEST_NOTE = 20_000
LONGEST_TAG = 60
MOST_TAGS = 20
_LONGEST_STATE = 200_000
_MOST_PICTURE_BYTES = 8 * 2**20
_LONGEST_SIDE = 8192
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Finding:
    """A judgement, and where it was made.

    :param view_state: plain JSON values: what the perspective showed.
    :param run: whose results it is about; None where it is about none, or the run was removed.
    :param id: 0 for one that is not in the project yet; `created` and `changed` are then empty.
    """

    title: str
    note: str = ""
    verdict: Verdict = "needs review"
    severity: Severity = "medium"
    tags: tuple[str, ...] = ()
    perspective: str = ""
    run: int | None = None
    view_state: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    created: str = ""
    changed: str = ""


@dataclass(frozen=True)
class FindingPicture:
    """What the view looked like: a whole PNG file, `width` and `height` in pixels."""

    width: int
    height: int
    data: bytes


class ProjectFindings(ProjectConceptSets):
    """The part of a project that holds findings."""

    def findings(self) -> tuple[Finding, ...]:
        """All findings, the oldest first; what is damaged of one is left empty."""
        return tuple(
            Finding(
                title=row["title"],
                note=row["note"],
                verdict=row["verdict"],
                severity=row["severity"],
                tags=_texts(row["tags"]),
                perspective=row["perspective"],
                run=row["run"],
                view_state=json_mapping(row["view_state"]),
                id=row["id"],
                created=row["created"],
                changed=row["changed"],
            )
            for row in self.rows("SELECT * FROM finding ORDER BY id")
        )

    def finding(self, number: int) -> Finding:
        """One finding.

        :raises AuditError: there is no such finding.
        """
        for one in self.findings():
            if one.id == number:
                return one
        raise AuditError("The project has no such finding.", "It may have been removed.")

    def add_finding(self, finding: Finding, picture: FindingPicture | None = None) -> int:
        """Write a finding and its picture; return its id: `finding.id`, or a new one if that is 0.

        With its id a finding that was removed comes back as it was.

        :raises AuditError: a text is empty or too long, a word is unknown, or the picture is no
            small PNG.
        """
        finding = checked(finding)
        values = _columns(finding)
        if finding.id:
            values["id"] = finding.id
        with self.transaction() as connection:
            number = insert_entry(connection, "finding", **values)
            if picture is not None:
                _check_picture(picture)
                insert_entry(connection, "finding_picture", finding=number, **vars(picture))
        return number

    def change_finding(self, finding: Finding) -> None:
        """Replace what a finding says; its picture, place and date stay.

        :raises AuditError: as `add_finding`, and where there is no such finding.
        """
        finding = checked(replace(finding, changed=finding.changed or now()))
        names = ("title", "note", "verdict", "severity", "tags", "changed")
        values = _columns(finding)
        with self.transaction() as connection:
            done = connection.execute(
                f"UPDATE finding SET {', '.join(f'{name} = :{name}' for name in names)}"
                " WHERE id = :id",
                {**{name: to_sql(values[name]) for name in names}, "id": finding.id},
            )
            if done.rowcount == 0:
                raise AuditError("The project has no such finding.", "It may have been removed.")

    def remove_finding(self, number: int) -> None:
        """Forget a finding and its picture."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM finding WHERE id = ?", (number,))

    def finding_picture(self, number: int) -> FindingPicture | None:
        """What the view looked like, or None; what is no small PNG counts as none."""
        row = self.row(
            "SELECT width, height, data FROM finding_picture WHERE finding = ?"
            " AND length(data) <= ?",
            (number, _MOST_PICTURE_BYTES),
        )
        if row is None:
            return None
        picture = FindingPicture(*row)
        return picture if _is_small_png(picture) else None


def checked(finding: Finding) -> Finding:
    """The finding with its title and tags trimmed.

    :raises AuditError: a text is empty or too long, or a word is unknown.
    """
    title = finding.title.strip()
    if not title:
        raise AuditError("The finding has no title.", "Say in a few words what was found.")
    if len(title) > LONGEST_TITLE or len(finding.note) > LONGEST_NOTE:
        raise AuditError(
            "The finding's text is too long.",
            f"A title has up to {LONGEST_TITLE:,} characters, a note up to {LONGEST_NOTE:,}.",
        )
    if finding.verdict not in VERDICTS:
        raise AuditError(f"“{finding.verdict}” is no verdict.", f"Choose {', '.join(VERDICTS)}.")
    if finding.severity not in SEVERITIES:
        raise AuditError(
            f"“{finding.severity}” is no severity.", f"Choose {', '.join(SEVERITIES)}."
        )
    tags = tuple(dict.fromkeys(tag.strip() for tag in finding.tags if tag.strip()))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise AuditError(
            "The finding has too many or too long tags.",
            f"Up to {MOST_TAGS} tags of up to {LONGEST_TAG} characters are kept.",
        )
    return replace(finding, title=title, tags=tags)


def _columns(finding: Finding) -> dict[str, Any]:
    state = json.dumps(finding.view_state, ensure_ascii=False, sort_keys=True)
    if len(state) > _LONGEST_STATE:
        raise AuditError(
            "So much is selected that the view cannot be kept.", "Select less, and try again."
        )
    created = finding.created or now()
    return {
        "title": finding.title,
        "note": finding.note,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "tags": json.dumps(finding.tags, ensure_ascii=False),
        "perspective": finding.perspective,
        "run": finding.run,
        "view_state": state,
        "created": created,
        "changed": finding.changed or created,
    }


def _check_picture(picture: FindingPicture) -> None:
    if len(picture.data) > _MOST_PICTURE_BYTES or not _is_small_png(picture):
        raise AuditError("The finding's picture is no PNG of a usual size.")


def _is_small_png(picture: FindingPicture) -> bool:
    if picture.data[:8] != _PNG or picture.data[12:16] != b"IHDR" or len(picture.data) < 33:
        return False
    size = struct.unpack(">II", picture.data[16:24])
    return size == (picture.width, picture.height) and 0 < min(size) <= max(size) <= _LONGEST_SIDE


def _texts(text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except ValueError:
        return ()
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
