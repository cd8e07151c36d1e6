"""Projects of tests changed behind the back of those who wrote them."""

from __future__ import annotations

import json
from typing import Any

from analysis.project import Project


def alter(project: Project, statement: str, values: tuple = ()) -> None:
    with project.transaction() as connection:
        connection.execute(statement, values)


def change_parameters(project: Project, run: int, **changes: Any) -> None:
    """Give runs the parameters of this one, some of them changed."""
    old = json.loads(project.value("SELECT parameters FROM run WHERE id = ?", (run,)))
    alter(project, "UPDATE run SET parameters = ?", (json.dumps({**old, **changes}),))
