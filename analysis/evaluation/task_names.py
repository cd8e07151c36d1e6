"""The names of the tasks by which models are compared; no heavy library is imported."""

from __future__ import annotations

LINEAR_PROBE = "linear probe"


def knn_task(neighbours: int) -> str:
    """`k-NN (k = 20)`."""
    return f"k-NN (k = {neighbours})"


def prototype_task(shots: int) -> str:
    """`prototypes (5 shots)`."""
    return f"prototypes ({shots} {'shot' if shots == 1 else 'shots'})"
