"""The columns of the table of one unit's images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.unit_data import UnitPatch
from app.widgets.table_model import Column


def patch_columns(patches: Sequence[UnitPatch]) -> tuple[Column, ...]:
    """One row an image, best first."""

    def numbers(name: str) -> np.ndarray:
        return np.array([getattr(patch, name) for patch in patches], float)

    pixels = "Where the unit is active, in pixels of the upright original"
    return (
        Column("rank", "Rank", numbers("rank") + 1, "whole"),
        Column("image", "Image", numbers("image"), "whole", hint="Its number in the project"),
        Column("activation", "Peak", numbers("activation"), "significant",
               hint="The unit's highest activation in the image"),
        Column("x", "Left", numbers("x"), "whole", hint=pixels),
        Column("y", "Top", numbers("y"), "whole", hint=pixels),
        Column("width", "Width", numbers("width"), "whole", hint=pixels),
        Column("height", "Height", numbers("height"), "whole", hint=pixels),
    )  # fmt: skip
