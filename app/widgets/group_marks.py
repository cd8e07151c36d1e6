"""Colour, symbol and sign of groups of models and of concept categories."""

from __future__ import annotations

from dataclasses import dataclass

from app.theme import CATEGORIES
from app.widgets.category_marks import OTHER_COLOUR, category_word


@dataclass(frozen=True)
class Mark:
    """A colour with a plot symbol, and the sign that stands for both in text."""

    colour: str
    symbol: str
    sign: str


# Neither the blue of model A nor the vermilion of model B.
_COLOURS = ("#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#8C6BB1", "#8D6E3F")
_SHAPES = (("o", "●"), ("s", "■"), ("t1", "▲"), ("d", "◆"), ("p", "⬟"), ("star", "★"))
NO_GROUP = Mark(OTHER_COLOUR, "o", "●")

_OTHER_CATEGORY = Mark(OTHER_COLOUR, "o", "○")


def group_mark(letter: str) -> Mark:
    """The mark of group A, B, …; after six colours the shapes shift, so that marks stay apart."""
    if not letter:
        return NO_GROUP
    index = 0
    for sign in letter.upper():
        index = index * 26 + max(0, ord(sign) - ord("A") + 1)
    index = max(0, index - 1)
    turn, place = divmod(index, len(_COLOURS))
    symbol, sign = _SHAPES[(place + turn) % len(_SHAPES)]
    return Mark(_COLOURS[place], symbol, sign)


def category_mark(category: str) -> Mark:
    """The mark of a concept category, whose key is as the data have it."""
    found = CATEGORIES.get(category_word(category))
    return _OTHER_CATEGORY if found is None else Mark(found.colour, found.symbol, found.sign)
