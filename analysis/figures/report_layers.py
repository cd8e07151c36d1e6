"""What a report says of the layers of two models by measures that know no concepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.readers import layer_similarity
from analysis.figures.words import interval, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_MEASURES = {"cka": "CKA", "rsa": "RSA", "procrustes": "Procrustes"}


def other_measures(project: Project, run: int) -> str:
    """A sentence on the layers most alike by CKA, RSA and Procrustes; "" where none is known."""
    found = []
    for measure, word in _MEASURES.items():
        data = layer_similarity(project, run, measure)
        if data is None or not np.isfinite(data.values).any():
            continue
        row, column = np.unravel_index(np.nanargmax(data.values), data.values.shape)
        layers = f"{plain(data.layers_a[row])} of A and {plain(data.layers_b[column])} of B"
        at = (row, column)
        told = interval(data.values[at], data.ci_low[at], data.ci_high[at])
        if np.isfinite(data.null_95[at]):
            told += f", chance {number(data.null_95[at])}"
        found.append(f"by {word} {layers} ({told})")
    return f" Without concepts, most alike are {', '.join(found)}." if found else ""
