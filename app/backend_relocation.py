"""The part of the door to the analysis that finds what was moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.progress import Progress
from analysis.project import Project


class RelocationBackend:
    """Where images, label planes, concepts and weights lie, and finding them again."""

    def places(self, project: Project) -> tuple[Any, ...]:
        """Everything outside of the project file that it refers to, and whether it is there."""
        from analysis.audits import places

        return places.project_places(project)

    def relocate(
        self, project: Project, kind: Any, number: int, place: Path, progress: Progress
    ) -> Any:
        """Find what was moved in a folder: by content, where that is known.

        :raises AuditError: it is not there; nothing was changed.
        """
        from analysis.audits import relocating

        return relocating.relocate_entry(project, kind, number, place, progress)
