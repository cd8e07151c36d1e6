"""Examples of a concept, gathered from what one looks at. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.errors import AuditError
from analysis.figures.data import ConceptDetail
from analysis.figures.semantics_data import Box, ConceptSetInfo
from analysis.figures.unit_data import UnitDetail
from analysis.figures.words import NOT_COUNTED, count
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from app.backend import Backend
from app.project_index import read_image_facts

_MOST_SOURCES = 200  # concepts or units whose images are gathered


@dataclass(frozen=True)
class Example:
    """A part of an image, in pixels of the upright original; without a box the whole image."""

    image: int
    box: Box | None = None


@dataclass(frozen=True)
class ExampleChoice:
    """Examples that belong together, in words (“3 patches selected”), and a name for them."""

    text: str
    examples: tuple[Example, ...]
    name: str = ""


@dataclass(frozen=True)
class ExampleWish:
    """What may become a concept: what is at hand, and concepts and units whose patches may."""

    choices: tuple[ExampleChoice, ...] = ()
    concepts: tuple[int, ...] = ()
    units: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.choices or self.concepts or self.units)


@dataclass(frozen=True)
class BoxChoice:
    """As `ExampleChoice`, with every box known: ready to be kept."""

    text: str
    boxes: tuple[ExampleBox, ...]
    name: str = ""


@dataclass(frozen=True)
class ExampleOffer:
    """What the dialog offers, and the concepts that there are."""

    choices: tuple[BoxChoice, ...]
    sets: tuple[ConceptSetInfo, ...]


def selected_choice(examples: Iterable[Example], name: str = "") -> tuple[ExampleChoice, ...]:
    """The patches that are selected, if any are."""
    kept = tuple(dict.fromkeys(examples))
    what = f"{count(len(kept), 'patch', 'patches')} selected"
    return (ExampleChoice(what, kept, name),) if kept else ()


def walked_choices(examples: Sequence[Example], at: int) -> tuple[ExampleChoice, ...]:
    """What the large view shows: the patch in front, and the row that it belongs to."""
    if not examples:
        return ()
    first = ExampleChoice("the patch shown", (examples[at],))
    every = tuple(dict.fromkeys(examples))
    if len(every) < 2:
        return (first,)
    return first, ExampleChoice(f"all {len(every):,} patches of its row", every)


def read_offer(backend: Backend, project: Project, wish: ExampleWish) -> ExampleOffer:
    """Everything that may be kept, what is at hand first.

    :raises AuditError: there is nothing, or its images are gone.
    """
    choices = list(wish.choices)
    if wish.concepts:
        numbers = wish.concepts[:_MOST_SOURCES]
        choices.append(_of_concepts([backend.concept_detail(project, one) for one in numbers]))
    if wish.units:
        details = backend.unit_details(project, wish.units[:_MOST_SOURCES])
        choices.append(_of_units([details[one] for one in wish.units if one in details]))
    found = [_boxed(project, choice) for choice in choices]
    usable = {choice.boxes: choice for choice in reversed(found) if choice.boxes}
    if not usable:
        raise AuditError(
            "There is no patch that could become a concept.",
            "Select patches, or concepts or units that have images.",
        )
    return ExampleOffer(tuple(reversed(usable.values())), backend.concept_sets(project))


def _of_concepts(details: Sequence[ConceptDetail]) -> ExampleChoice:
    examples = dict.fromkeys(
        Example(patch.image, (patch.x, patch.y, patch.width, patch.height))
        for detail in details
        for patch in detail.top
    )
    patches = count(len(examples), "patch", "patches")
    return ExampleChoice(f"the top {patches} of {count(len(details), 'concept')}", tuple(examples))


def _of_units(details: Sequence[UnitDetail]) -> ExampleChoice:
    examples = dict.fromkeys(
        Example(patch.image, (patch.x, patch.y, patch.width, patch.height))
        for detail in details
        for patch in detail.patches
    )
    names = {"" if d.category in NOT_COUNTED else d.concept for d in details}
    patches = count(len(examples), "patch", "patches")
    return ExampleChoice(
        f"the top {patches} of {count(len(details), 'unit')}",
        tuple(examples),
        names.pop() if len(names) == 1 else "",
    )


def _boxed(project: Project, choice: ExampleChoice) -> BoxChoice:
    boxes = [box for example in choice.examples if (box := _box(project, example)) is not None]
    return BoxChoice(choice.text, tuple(dict.fromkeys(boxes)), choice.name)


def _box(project: Project, example: Example) -> ExampleBox | None:
    if example.box is not None:
        return ExampleBox(example.image, *example.box)
    facts = read_image_facts(project, example.image)
    if facts is None or min(facts.width, facts.height) < 1:
        return None
    return ExampleBox(facts.id, 0, 0, facts.width, facts.height)
