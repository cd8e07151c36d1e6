"""Composed reports, as a project file keeps them: which blocks, in which order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.errors import AuditError
from analysis.project.entries import check_name, insert_entry, refuse_taken_name
from analysis.project.slices import ProjectSlices
from analysis.project.values import json_mapping, now

_LONGEST_COMPOSITION = 1_000_000


@dataclass(frozen=True)
class StoredReport:
    """A composed report; `composition` is plain JSON values, not trusted when it is read."""

    id: int
    name: str
    template: str
    composition: Mapping[str, Any]
    created: str
    changed: str


class ProjectReports(ProjectSlices):
    """The part of a project that holds composed reports."""

    def reports(self) -> tuple[StoredReport, ...]:
        """All composed reports by their names; one that is damaged has an empty composition."""
        return tuple(
            StoredReport(
                row["id"],
                row["name"],
                row["template"],
                json_mapping(row["composition"]),
                row["created"],
                row["changed"],
            )
            for row in self.rows("SELECT * FROM report ORDER BY name")
        )

    def add_report(
        self,
        name: str,
        template: str,
        composition: Mapping[str, Any],
        id: int | None = None,
        created: str = "",
        changed: str = "",
    ) -> int:
        """Add a composed report; return its id.

        :param id, created, changed: of a report that was removed and comes back.
        :raises AuditError: the name is taken, empty or too long, or the report is too large.
        """
        check_name("report", name)
        text = _text(composition)
        with self.transaction() as connection:
            refuse_taken_name(connection, "report", "report", name)
            begun = created or now()
            more = {} if id is None else {"id": id}
            return insert_entry(
                connection,
                "report",
                name=name,
                template=template,
                composition=text,
                created=begun,
                changed=changed or begun,
                **more,
            )

    def change_report(self, number: int, name: str, composition: Mapping[str, Any]) -> None:
        """Replace a report's name and blocks.

        :raises AuditError: as `add_report`, and where there is no such report.
        """
        check_name("report", name)
        text = _text(composition)
        with self.transaction() as connection:
            row = self.row("SELECT name FROM report WHERE id = ?", (number,))
            if row is None:
                raise AuditError("The project has no such report.", "It may have been removed.")
            if row["name"] != name:
                refuse_taken_name(connection, "report", "report", name)
            connection.execute(
                "UPDATE report SET name = ?, composition = ?, changed = ? WHERE id = ?",
                (name, text, now(), number),
            )

    def remove_report(self, number: int) -> None:
        """Forget a composed report; files written from it stay."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM report WHERE id = ?", (number,))


def _text(composition: Mapping[str, Any]) -> str:
    text = json.dumps(composition, ensure_ascii=False, sort_keys=True)
    if len(text) > _LONGEST_COMPOSITION:
        raise AuditError("The report's texts are too long to be kept.", "Shorten them.")
    return text
