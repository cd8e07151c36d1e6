"""Hints for names that nothing has: perhaps another was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 200  # of a name that is compared; comparing takes time that grows with its square


def name_hint(name: str, known: Iterable[str], otherwise: str) -> str:
    """What to do about a name that is not among `known`: those like it, then `otherwise`.

    Case does not count in the likeness. Nothing is like a name that is very long.
    """
    by_folded = {one.casefold(): one for one in known if len(one) <= _LONGEST}
    near: list[str] = []
    if len(name) <= _LONGEST:
        near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
    if not near:
        return otherwise
    meant = " or ".join(f"“{by_folded[one]}”" for one in near)
    return f"Did you mean {meant}? {otherwise}".strip()
