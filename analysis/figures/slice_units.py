"""Units and their images, those of a slice alone. What a unit stands for is of all images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.figures.slices import SliceChoice
from analysis.figures.unit_data import UnitDetail
from analysis.figures.unit_readers import unit_details

if TYPE_CHECKING:
    from analysis.project import Project


def sliced_units(
    project: Project, unit_ids: Sequence[int], chosen: SliceChoice
) -> tuple[UnitDetail, ...]:
    """As `unit_details`, with those of the images that are in the slice; `images_known` says how
    many there were. Raises AuditError as that does."""
    return tuple(
        replace(
            detail,
            patches=tuple(patch for patch in detail.patches if patch.image in chosen.images),
            images_known=len(detail.patches),
            slice_name=chosen.name,
        )
        for detail in unit_details(project, unit_ids)
    )
