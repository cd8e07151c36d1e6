"""What a run asks of layers: that they exist, and have places."""

from __future__ import annotations

import json
from collections.abc import Iterable

from analysis.errors import AuditError
from analysis.near_names import name_hint


def no_such_layer(
    model: str,
    layer: str,
    known: Iterable[str],
    otherwise: str = "Choose layers from the list of the model's layers.",
) -> AuditError:
    """The error of a model that has no layer of that name; it tells the names that are like it."""
    return AuditError(f"“{model}” has no layer “{layer}”.", name_hint(layer, known, otherwise))


def has_places(shape: str) -> bool:
    """Whether a layer gives maps or tokens, by its shape as the project file keeps it (JSON)."""
    try:
        return len(json.loads(shape)) >= 2
    except (ValueError, TypeError, RecursionError):
        return False
