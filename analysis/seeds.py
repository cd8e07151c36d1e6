"""Seeds derived from what they are for, so that no result depends on the order of the work."""

from __future__ import annotations

import hashlib


def derive_seed(base: int, *parts: object) -> int:
    """A 63-bit seed for one unit of work: equal for equal `base` and `parts`, on any machine."""
    text = "\x1f".join([str(base), *(str(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
