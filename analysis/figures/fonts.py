"""Which fonts of this machine have the signs that a text needs: other scripts, emoji.

Figures and pages are set in fonts of their own. A sign that those lack is taken from the fonts of
the machine, and where none has it, it is said beside the box that stands in its place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = "DejaVu Sans"
# Asked first, in this order, so that a machine with many fonts gives the usual one of a script.
PREFERRED = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK TC", "Noto Sans CJK KR"),
    *("Noto Sans SC", "Noto Sans JP", "Noto Sans TC", "Noto Sans KR", "Source Han Sans SC"),
    *("Hiragino Sans", "PingFang SC", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic"),
    *("Apple SD Gothic Neo", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *("Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Hebrew", "Noto Sans Thai"),
    *("Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Nirmala UI", "Kohinoor"),
    *("Noto Emoji", "Segoe UI Symbol", "Segoe UI Emoji", "Symbola", "Noto Sans Symbols2"),
    *("Noto Sans Symbols", "Arial Unicode MS", "Unifont"),
)
PREFERRED_COLOURED = ("Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji", "Twemoji Mozilla")
_NOT_FOR_TEXT = ("Last Resort", "LastResort", "STIX", "cm", "DejaVu Math", "Adobe Blank")
_SET_BY_TYPST = range(0x0900, 0x0980)  # Devanagari: it brings a font of it
_MOST_LOOKED_INTO = 500  # files of other fonts
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})


@dataclass(frozen=True)
class Cover:
    """Families that have what the own font lacks, and the signs that none has."""

    families: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


def cover(texts: Iterable[str], drawable: bool = True) -> Cover:
    """Where the signs of some texts are to be had.

    :param drawable: by matplotlib, which needs outlines; else by Typst, which also sets emoji of
        many colours.
    """
    wanted = {ord(sign) for text in texts for sign in text if _shows(sign)}
    lacking = wanted - _signs(_own_file()) - (set() if drawable else set(_SET_BY_TYPST))
    families: list[str] = []
    for name, place in _candidates(drawable):
        if not lacking:
            break
        found = lacking & _signs(place)
        if found and (not drawable or _can_draw(place, min(found))):
            families.append(name)
            lacking -= found
    return Cover(tuple(families), frozenset(map(chr, lacking)))


def figure_texts(figure: Figure) -> list[str]:
    """All that is written in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]


def missing_words(missing: frozenset[str]) -> str:
    """What is said of signs that no font has; empty where all are there."""
    if not missing:
        return ""
    signs = sorted(missing)
    which = ", ".join(f"U+{ord(sign):04X}" for sign in signs[:3])
    more = f" and {len(signs) - 3} more" if len(signs) > 3 else ""
    one = len(signs) == 1
    return (
        f"{'A box stands' if one else 'Boxes stand'} for {'a sign' if one else 'signs'} that no"
        f" font of this computer has: {which}{more}."
    )


def _shows(sign: str) -> bool:
    """Whether a sign needs a shape of its own; those for private use belong to no font."""
    return ord(sign) > 0x7E and unicodedata.category(sign) not in _INVISIBLE


Place = tuple[str, int]
"""A file, and the number of a font in it."""


@cache
def _fonts() -> dict[str, Place]:
    """The plain font of every family."""
    from matplotlib import font_manager

    found: dict[str, Place] = {}
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda one: (one.name, one.fname)):
        plain = entry.style == "normal" and entry.weight in (400, "normal", "regular")
        known: Any = entry
        if plain and not entry.name.startswith(_NOT_FOR_TEXT):
            found.setdefault(entry.name, (entry.fname, int(getattr(known, "index", 0))))
    return found


def _own_file() -> Place:
    from matplotlib import font_manager

    return font_manager.findfont(OWN), 0


def _candidates(drawable: bool) -> list[tuple[str, Place]]:
    fonts = _fonts()
    first = PREFERRED if drawable else (*PREFERRED_COLOURED, *PREFERRED)
    names = [name for name in first if name in fonts]
    others = [name for name in fonts if name not in first and name != OWN]
    return [(name, fonts[name]) for name in names + others[:_MOST_LOOKED_INTO]]


@cache
def _signs(place: Place) -> frozenset[int]:
    """The signs of a font; none of a file that cannot be read."""
    from fontTools.ttLib import TTFont

    file, number = place
    try:
        with TTFont(file, fontNumber=number, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except Exception:  # a broken font of the machine is as good as none
        return frozenset()


@cache
def _can_draw(place: Place, sign: int) -> bool:
    """Whether matplotlib can draw from a font: not from pictures in many colours."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font([place[0]]) if place[1] == 0 else None
        if font is None:
            return False
        font.set_size(7, 72)
        return font.load_char(sign).width > 0
    except (OSError, RuntimeError, ValueError):
        return False
