"""Why a unit has no concept: each such unit has exactly one of these in place of a category.

- `dead`: its activation is the same everywhere, on every image.
- `not a number`: somewhere its activation is not a finite number.
- `failed threshold`: no threshold leaves the share of activations that was asked for. Ties above
  the unit's resting value (its minimum) take up more than half of that share, as in a unit that
  saturates; in the extreme nothing lies above the threshold. A rectified unit that is active more
  rarely than was asked has *not* failed: its threshold is its resting value, and what is active
  is exactly what lies above it.
"""

from __future__ import annotations

DEAD = "dead"
FAILED_THRESHOLD = "failed threshold"
NOT_A_NUMBER = "not a number"
NOT_COUNTED = (DEAD, FAILED_THRESHOLD, NOT_A_NUMBER)
