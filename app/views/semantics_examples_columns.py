"""The columns of the table of a concept's examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.figures.semantics_data import ConceptExample
from app.views.semantics_words import example_caption
from app.widgets.table_model import Column

_ROLES = {"positive": "shows the concept", "negative": "does not"}
_PIXELS = "In pixels of the upright original"


def example_columns(examples: Sequence[ConceptExample]) -> tuple[Column, ...]:
    """One row an example."""
    boxes = np.array([one.box for one in examples], float).reshape(-1, 4)
    words = [" · ".join(example_caption(one).splitlines()) for one in examples]
    return (
        Column("role", "Role", np.array([_ROLES.get(o.role, o.role) for o in examples], object)),
        Column("example", "Example", np.array(words, object)),
        Column("left", "Left", boxes[:, 0], "whole", hint=_PIXELS),
        Column("top", "Top", boxes[:, 1], "whole", hint=_PIXELS),
        Column("width", "Width", boxes[:, 2], "whole", hint=_PIXELS),
        Column("height", "Height", boxes[:, 3], "whole", hint=_PIXELS),
    )
