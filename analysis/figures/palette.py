"""What colours and signs mean in the figures of units and of the embedding, on screen and paper.

The colours are those of Okabe and Ito, told apart also without full colour vision; a group has a
sign of its own besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CATEGORY_COLOURS: Mapping[str, str] = {
    "object": "#0072B2",
    "part": "#56B4E9",
    "material": "#009E73",
    "color": "#E69F00",
    "scene": "#CC79A7",
    "texture": "#D55E00",
    "class": "#7A5195",
}
_OTHER_COLOURS = ("#5F5F5F", "#A6761D", "#B8B8B8", "#1A1A1A")
_CATEGORY_WORDS: Mapping[str, str] = {
    "object": "objects",
    "part": "parts",
    "material": "materials",
    "color": "colours",
    "scene": "scenes",
    "texture": "textures",
    "class": "classes",
}


@dataclass(frozen=True)
class Mark:
    """The colour of a series and its marker, by matplotlib's sign for it."""

    colour: str
    marker: str


_MARKS = (
    Mark("#0072B2", "o"),
    Mark("#D55E00", "s"),
    Mark("#009E73", "^"),
    Mark("#CC79A7", "D"),
    Mark("#E69F00", "v"),
    Mark("#56B4E9", "p"),
    Mark("#7A5195", "X"),
    Mark("#5F5F5F", "P"),
)
NO_GROUP = Mark("#5F5F5F", "o")


def category_colours(categories: Sequence[str]) -> dict[str, str]:
    """The colour of each category; one that is not of the papers has a grey or brown."""
    others = sorted(set(categories).difference(CATEGORY_COLOURS))
    colours = dict(CATEGORY_COLOURS)
    for index, name in enumerate(others):
        colours[name] = _OTHER_COLOURS[index % len(_OTHER_COLOURS)]
    return {name: colours[name] for name in categories}


def category_word(category: str) -> str:
    """A category in the plural, as figures call it."""
    return _CATEGORY_WORDS.get(category, category)


def group_mark(group: str) -> Mark:
    """Colour and marker of a group lettered A, B, …; of no group when empty."""
    if not group:
        return NO_GROUP
    return series_mark(max(0, ord(group[0]) - ord("A")))


def series_mark(index: int) -> Mark:
    """Colour and marker of the series at `index`: 64 series differ in one or the other."""
    colour = _MARKS[index % len(_MARKS)].colour
    marker = _MARKS[(index + index // len(_MARKS)) % len(_MARKS)].marker
    return Mark(colour, marker)
