"""Lists of names as one line of text: a parameter that names models, layers or classes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_ENTRY = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|\Z)')
_QUOTED = re.compile(r'[,"\n\r]|^\[|^\s|\s$')


def split_names(text: str) -> tuple[str, ...]:
    """The names in a text, in their order; what `join_names` wrote comes back as it was.

    Names are separated by commas, and one that holds a comma stands in double quotes, of which its
    own are doubled (as in CSV). A JSON list of texts will do as well. Space outside of quotes and
    empty names do not count.
    """
    listed = _json_names(text)
    if listed is None:
        found = _ENTRY.finditer(text)
        listed = [e[2].strip() if e[1] is None else e[1].replace('""', '"') for e in found]
    return tuple(name for name in listed if name)


def join_names(names: Iterable[str]) -> str:
    """Names as `split_names` reads them, quoted only where they have to be."""
    return ",".join(
        '"' + name.replace('"', '""') + '"' if _QUOTED.search(name) else name for name in names
    )


def _json_names(text: str) -> list[str] | None:
    """The texts of a JSON list; None where there is no such list."""
    if not text.lstrip().startswith("["):
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return names if all(isinstance(name, str) for name in names) else None
