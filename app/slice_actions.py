"""The actions on slices of the images."""

from __future__ import annotations

from app.action_definition import ActionDefinition, Facts


def _sliced(facts: Facts) -> bool:
    return facts.project and facts.sliced


def _can_slice(facts: Facts) -> bool:
    return facts.project and facts.writable and facts.image_sets > 0


SLICE_ACTIONS = (
    ActionDefinition(
        "new-slice",
        "&Audit",
        "&New slice of the images…",
        "Name some of the images: of a class, that models disagree on, or that are selected",
        "Ctrl+Alt+N",
        _can_slice,
        separator_before=True,
        needs="Open a project with images that is not read-only first.",
    ),
    ActionDefinition(
        "slice-performance",
        "&Audit",
        "&Performance over the slice…",
        "How often the models are right on the images of the slice in use",
        "",
        _sliced,
        needs="Choose a slice of the images first.",
    ),
    ActionDefinition(
        "all-images",
        "&Audit",
        "Show &all images",
        "Leave the slice in use: every view shows all images again",
        "Ctrl+Alt+A",
        _sliced,
        needs="All images are shown: no slice is in use.",
    ),
)
