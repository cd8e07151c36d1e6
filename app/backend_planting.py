"""The part of the door to the analysis that makes images with a planted concept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.progress import Progress
from analysis.project import Project


class PlantingBackend:
    """Labels and patterns that can be pasted into images, and the making of such images."""

    def plantable(self, project: Project, image_set: int) -> tuple[tuple[str, ...], ...]:
        """Labels of the image set's label planes, and patterns, by name.

        :raises AuditError: the label planes cannot be read.
        """
        from analysis.audits import planting

        return planting.plantable(project, image_set), planting.PATTERNS

    def plant(
        self, project: Project, wish: dict[str, Any], folder: Path, progress: Progress
    ) -> Any:
        """Write images with and without the concept, and take them into the project.

        :raises AuditError: it cannot be done; nothing is left of it.
        """
        from analysis.audits import planting

        return planting.plant(project, planting.Planting(**wish), folder, progress)
