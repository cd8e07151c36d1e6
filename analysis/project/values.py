"""From Python's and numpy's values to those a table holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np

_PLAIN = (str, int, float, bytes, type(None))


def to_sql(value: Any) -> Any:
    """The value as SQLite takes it: numpy scalars become numbers, lists and mappings JSON.

    NaN becomes NULL when it is stored: a number that does not exist.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False)
    return value


def now() -> str:
    """The time as text, in UTC and to the second (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def json_mapping(text: str) -> dict[str, Any]:
    """The object in a JSON text, or an empty one if it holds none: files are not trusted."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
