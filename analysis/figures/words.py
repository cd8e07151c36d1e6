"""Names and numbers as figures write them: short, plain, never read as formulas."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from analysis.dissection import categories

# In place of a unit's category: no concept can be told of it.
DEAD = categories.DEAD
FAILED_THRESHOLD = categories.FAILED_THRESHOLD
NOT_A_NUMBER = categories.NOT_A_NUMBER
NOT_COUNTED = categories.NOT_COUNTED

ELLIPSIS = "…"


def plain(text: object) -> str:
    """One line of printable text: control characters and line breaks become single spaces.

    XML (and so SVG) cannot hold control characters, and a name may hold anything.
    """
    kept = (
        " " if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} else sign
        for sign in str(text)
    )
    return " ".join("".join(kept).replace("\ufffe", "").replace("\uffff", "").split())


def label(text: object, limit: int | None = None) -> str:
    """`text` for matplotlib: plain, at most `limit` characters, dollar signs are dollar signs."""
    short = plain(text)
    if limit is not None:
        short = shorten(short, limit)
    return short.replace("$", r"\$")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, the end left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def shorten_middle(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, the middle left out; a little more of the beginning."""
    if len(text) <= limit:
        return text
    end = (limit - 1) * 2 // 5
    return text[: limit - 1 - end].rstrip() + ELLIPSIS + text[len(text) - end :].lstrip()


def shorten_left(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, the beginning left out, cut at a dot where it can."""
    if len(text) <= limit:
        return text
    tail = text[-(limit - 1) :]
    _, dot, after = tail.partition(".")
    return ELLIPSIS + (after if dot and len(after) >= limit // 2 else tail)


def layer_labels(names: Sequence[str], limit: int) -> tuple[str, ...]:
    """Layer names of at most about `limit` characters, shortened from the left.

    Names that would look alike get more characters until all differ.
    """
    plain_names = [plain(name) for name in names]
    longest = max((len(name) for name in plain_names), default=0)
    for length in range(limit, longest + 1):
        labels = tuple(shorten_left(name, length) for name in plain_names)
        if len(set(labels)) == len(set(plain_names)):
            return labels
    return tuple(plain_names)


def number(value: float, digits: int = 2) -> str:
    """A correlation or share with `digits` decimals and a real minus sign; "none" for NaN."""
    if not math.isfinite(value):
        return "none"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\u2212")


def decimals_for(largest: float) -> int:
    """The decimals that give the largest of some quantities two significant digits."""
    if not math.isfinite(largest) or largest == 0:
        return 1
    return min(6, max(0, 1 - math.floor(math.log10(abs(largest)))))


def interval(value: float, low: float, high: float) -> str:
    """A number with its interval, as 0.83 [0.78, 0.87]."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return number(value)
    return f"{number(value)} [{number(low)}, {number(high)}]"


def count(amount: int, singular: str, plural: str | None = None) -> str:
    """An amount with its noun, as "1 class" or "1,024 images"."""
    return f"{amount:,} {singular if amount == 1 else plural or singular + 's'}"
