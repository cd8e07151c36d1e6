"""The patterns that can be pasted onto images; here so that naming them loads no torch."""

from __future__ import annotations

from typing import Literal

Pattern = Literal["stripes", "checks", "rings", "dots"]
PATTERNS: tuple[Pattern, ...] = ("stripes", "checks", "rings", "dots")
