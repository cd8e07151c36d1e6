"""The table of names of a folder of masks: what each value or colour stands for.

The folder holds one of `names`, `labels`, `classes`, `palette` (`.csv` or `.json`), or just one
CSV or JSON file.

CSV has a header. Columns (the case does not matter): the value as `index` (or `value`, `number`,
`code`, `id`), or the colour as `colour` (or `color`, `rgb`: `#ff8000`, `255 128 0` or `255,128,0`)
or as three columns `r`, `g`, `b` (or `red`, `green`, `blue`); the name as `name` (or `label`,
`class`); optional: `category`, `object` where it is empty. JSON is a list of objects with the same
keys, or an object from value or colour to a name or to an object with `name` and `category`.

Names such as background, void or unlabelled mean that a pixel shows nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import AuditError
from analysis.images.decoding import why_not_read
from analysis.segmentation.planes import (
    UNLABELLED_NAMES,
    LabelConcept,
    clean_name,
    number_concepts,
)

DEFAULT_CATEGORY = "object"

_STEMS = ("names", "labels", "classes", "palette")
_SUFFIXES = (".csv", ".json")
_LARGEST_TABLE = 32 * 1024**2
_VALUE_KEYS = ("index", "value", "number", "code", "id")
_COLOUR_KEYS = ("colour", "color", "rgb")
_CHANNEL_KEYS = (("r", "g", "b"), ("red", "green", "blue"))
_NAME_KEYS = ("name", "label", "class")
_HINT = (
    "Write names.csv into the folder of masks: a header line “index,name” (or “colour,name”, with"
    " colours as #ff8000), then one line for each value; a column “category” is optional."
)


@dataclass(frozen=True)
class MaskNames:
    """What values and colours of masks stand for.

    :ivar values: sorted int64 values of pixels; `value_codes` the code of each, 0 for none.
    :ivar colours: sorted int64 colours (R · 65,536 + G · 256 + B); `colour_codes` likewise.
    """

    concepts: tuple[LabelConcept, ...]
    values: np.ndarray
    value_codes: np.ndarray
    colours: np.ndarray
    colour_codes: np.ndarray
    key: str


def packed_colours(channels: np.ndarray) -> np.ndarray:
    """(…, ≥ 3) channels of 0–255 as one int64 number each."""
    return (channels[..., 0] << 16) + (channels[..., 1] << 8) + channels[..., 2]


def read_names(folder: Path) -> MaskNames:
    """Read the table of names of a folder of masks.

    :raises AuditError: if there is none, several, or a damaged one, or it names no concept.
    """
    file = _table(folder)
    try:
        if file.stat().st_size > _LARGEST_TABLE:
            raise ValueError("it is too large for a table of names")
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
        entries = dict(_json(text) if file.suffix.lower() == ".json" else _csv(text))
    except OSError as error:
        raise AuditError(
            f"The table of names “{file}” cannot be read. {why_not_read(error)}", _HINT
        ) from error
    except (ValueError, csv.Error, RecursionError) as error:
        raise AuditError(f"The table of names “{file}” is damaged ({error}).", _HINT) from error
    if not any(entries.values()):
        raise AuditError(f"The table of names “{file}” names no concept.", _HINT)
    return _numbered(entries, hashlib.sha256(data).hexdigest())


def _table(folder: Path) -> Path:
    for stem in _STEMS:
        for suffix in _SUFFIXES:
            file = folder / (stem + suffix)
            if file.is_file():
                return file
    try:
        others = [f for f in folder.iterdir() if f.suffix.lower() in _SUFFIXES and f.is_file()]
    except OSError as error:
        raise AuditError(f"The folder “{folder}” cannot be read. {why_not_read(error)}") from error
    if len(others) != 1:
        found = "several tables, none called names.csv" if others else "no table of names"
        raise AuditError(f"The folder of masks “{folder}” holds {found}.", _HINT)
    return others[0]


_Entry = tuple[tuple[str, int], LabelConcept | None]


def _csv(text: str) -> Iterator[_Entry]:
    for line, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
        if any(isinstance(value, str) and value.strip() for value in row.values()):
            yield _entry(row, f"line {line}")


def _json(text: str) -> Iterator[_Entry]:
    content = json.loads(text)
    if isinstance(content, list):
        for position, item in enumerate(content, start=1):
            if not isinstance(item, dict):
                raise ValueError(f"entry {position} is no object")
            yield _entry(item, f"entry {position}")
    elif isinstance(content, dict):
        for key, item in content.items():
            row = dict(item) if isinstance(item, dict) else {"name": item}
            kind = "index" if key.strip().isdigit() else "colour"
            yield _entry({**row, kind: key}, f"“{clean_name(key)}”")
    else:
        raise ValueError("it is neither a list nor an object")


def _entry(row: Mapping[Any, Any], where: str) -> _Entry:
    fields = {key.strip().lower(): value for key, value in row.items() if isinstance(key, str)}
    name = clean_name(_first(fields, _NAME_KEYS))
    category = clean_name(_first(fields, ("category",))) or DEFAULT_CATEGORY
    concept = None if name.lower() in UNLABELLED_NAMES else LabelConcept(name, category)
    return _pixel(fields, where), concept


def _first(fields: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, list):
            value = " ".join(str(part) for part in value)
        if value is not None and str(value).strip():
            return str(value).strip()
    return ""


def _pixel(fields: Mapping[str, Any], where: str) -> tuple[str, int]:
    """('value' or 'colour', number) of an entry."""
    value = _first(fields, _VALUE_KEYS)
    colour = _first(fields, _COLOUR_KEYS)
    for keys in _CHANNEL_KEYS:
        channels = [_first(fields, (key,)) for key in keys]
        if not colour and all(channels):
            colour = " ".join(channels)
    if colour:
        return "colour", _parse_colour(colour, where)
    if re.fullmatch(r"\d{1,9}", value) is None:
        raise ValueError(f"{where} has neither an index nor a colour")
    return "value", int(value)


def _parse_colour(text: str, where: str) -> int:
    if re.fullmatch(r"#?[0-9a-fA-F]{6}", text):
        return int(text.removeprefix("#"), 16)
    channels = [int(part) for part in re.findall(r"\d{1,9}", text)]
    if len(channels) != 3 or max(channels) > 255 or re.fullmatch(r"[\d\s,;()\[\]]+", text) is None:
        raise ValueError(f"{where}: “{clean_name(text)}” is no colour")
    return int(packed_colours(np.array(channels)))


def _numbered(entries: dict[tuple[str, int], LabelConcept | None], key: str) -> MaskNames:
    concepts, code_of = number_concepts(c for c in entries.values() if c is not None)
    values, value_codes = _table_of("value", entries, code_of)
    colours, colour_codes = _table_of("colour", entries, code_of)
    return MaskNames(concepts, values, value_codes, colours, colour_codes, key)


def _table_of(
    wanted: str,
    entries: Mapping[tuple[str, int], LabelConcept | None],
    code_of: Mapping[LabelConcept, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Sorted numbers of one kind of pixels, and the code of each."""
    codes = {
        number: code_of[concept] if concept is not None else 0
        for (kind, number), concept in entries.items()
        if kind == wanted
    }
    numbers = sorted(codes)
    return (
        np.array(numbers, dtype=np.int64),
        np.array([codes[number] for number in numbers], dtype=np.int32),
    )
