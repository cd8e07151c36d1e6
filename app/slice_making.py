"""What a slice of the images can be made by, gathered from the project and from the view. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.errors import AuditError
from analysis.project import Project
from app.backend import Backend
from app.concept_examples import ExampleWish, read_offer


@dataclass(frozen=True)
class SelectedImages:
    """Images at hand in the view, and what they are in words."""

    text: str
    images: frozenset[int]


@dataclass(frozen=True)
class SliceOffer:
    """`sources`: labels and predictions, `analysis.figures.slice_making.SliceSources`."""

    sources: Any
    selected: tuple[SelectedImages, ...]


def read_slice_offer(backend: Backend, project: Project, wish: ExampleWish) -> SliceOffer:
    """Everything that a slice may be made by."""
    try:
        choices = read_offer(backend, project, wish).choices if wish else ()
    except AuditError:  # nothing of what is selected has images
        choices = ()
    selected = (
        SelectedImages(choice.text, frozenset(box.image for box in choice.boxes))
        for choice in choices
    )
    return SliceOffer(backend.slice_sources(project), tuple(selected))
