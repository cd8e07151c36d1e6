"""The tables of a Broden layout: which number is which concept of which category."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from analysis.errors import AuditError
from analysis.images.decoding import why_not_read
from analysis.segmentation.planes import (
    MAX_PLANES,
    UNLABELLED_NAMES,
    LabelConcept,
    clean_name,
    number_concepts,
)

PLAIN_COLUMNS = frozenset({"image", "split", "ih", "iw", "sh", "sw"})
"""Columns of `index.csv` that are no category of labels."""

MAX_NUMBER = 65_535
"""The largest number that a pixel can hold (R + 256 · G)."""

_CATEGORY = re.compile(r"^\s*(.*?)\s*(?:\(\s*\d+\s*\))?\s*$", re.DOTALL)
_SHAPE = "It must be a CSV file in UTF-8, as in the Broden data set."

Row = dict[str, str]
Content = TypeVar("Content")


@dataclass(frozen=True)
class BrodenTables:
    """What the tables of a layout say.

    :ivar cells: for each image (posix, relative to the folder of images) what stands in the
        columns of `categories`; cells without anything are empty.
    :ivar categories: the columns of `index.csv` that label anything.
    :ivar planes: for each category how many planes an image has at most.
    :ivar concepts: all concepts of the layout, category by category.
    :ivar codes: for each category an int32 array from a number to a code (k for `concepts[k − 1]`,
        0 for none).
    :ivar key: of the tables' content.
    """

    cells: dict[str, tuple[str, ...]]
    categories: tuple[str, ...]
    planes: tuple[int, ...]
    concepts: tuple[LabelConcept, ...]
    codes: tuple[np.ndarray, ...]
    key: str


def is_index(file: Path) -> bool:
    """Whether a file is the index of a Broden layout, by its header."""
    try:
        with open(file, encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines), [])
    except (OSError, ValueError, csv.Error):
        return False
    return {"image", "split"} <= set(header)


def index_rows(file: Path) -> Iterator[Row]:
    """The rows of a CSV file as dictionaries; what a row lacks is empty, what it has too much of
    is passed over."""
    with open(file, encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}


def image_path(row: Row) -> str:
    """The image that a row of the index is about."""
    return row.get("image", "").strip().replace("\\", "/")


def read_tables(folder: Path) -> BrodenTables:
    """Read `index.csv`, `label.csv` and, where there are any, `c_<category>.csv` and
    `category.csv`.

    A number belongs to the categories that `c_<category>.csv` or `label.csv` list it under; a
    number that neither places belongs to those whose range in `category.csv` holds it, else to
    all. In the plane of a category that it does not belong to, a number stands for its first own
    category.

    :raises AuditError: if a table is missing or damaged, or labels nothing.
    """
    index = folder / "index.csv"
    cells, categories, planes = _parsed(index, lambda: _read_index(index))
    if not categories:
        raise AuditError(
            f"The Broden layout “{folder}” labels nothing: index.csv has no column of planes.",
            "Columns beside image, split, ih, iw, sh and sw are categories of labels.",
        )
    label_file = folder / "label.csv"
    names, listed = _parsed(label_file, lambda: _read_labels(label_file))
    memberships = _memberships(folder, categories, names, listed)
    concepts, codes = _number(categories, names, memberships)
    if not concepts:
        raise AuditError(
            f"The Broden layout “{folder}” has no concept: label.csv names none for the columns"
            f" {', '.join(categories)}.",
            "label.csv needs a row (number, name, category) for each label.",
        )
    return BrodenTables(cells, categories, planes, concepts, codes, _tables_key(folder))


def _parsed(file: Path, read: Callable[[], Content]) -> Content:
    try:
        return read()
    except OSError as error:
        raise AuditError(
            f"The Broden table “{file}” cannot be read. {why_not_read(error)}", _SHAPE
        ) from error
    except (ValueError, csv.Error) as error:
        raise AuditError(f"The Broden table “{file}” is damaged ({error}).", _SHAPE) from error


# The index


def _read_index(
    file: Path,
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], tuple[int, ...]]:
    rows: dict[str, tuple[str, ...]] = {}
    columns: tuple[str, ...] = ()
    for number, row in enumerate(index_rows(file), start=2):
        columns = columns or tuple(name for name in row if name and name not in PLAIN_COLUMNS)
        path = image_path(row)
        if path and path not in rows:  # of an image that is named twice the first row counts
            rows[path] = tuple(row.get(name, "").strip() for name in columns)
            _check_planes(rows[path], number)
    used = [i for i in range(len(columns)) if any(cells[i] for cells in rows.values())]
    planes = tuple(max(cells[i].count(";") + 1 for cells in rows.values()) for i in used)
    kept = {path: tuple(cells[i] for i in used) for path, cells in rows.items()}
    return kept, tuple(columns[i] for i in used), planes


def _check_planes(cells: tuple[str, ...], line: int) -> None:
    most = max((cell.count(";") + 1 for cell in cells), default=0)
    if most > MAX_PLANES:
        raise ValueError(f"line {line} names {most:,} planes of one category for one image")


# The labels


def _read_labels(file: Path) -> tuple[dict[int, str], dict[int, tuple[str, ...]]]:
    """The name of each number, and the categories that `label.csv` lists it under."""
    names: dict[int, str] = {}
    categories: dict[int, tuple[str, ...]] = {}
    for line, row in enumerate(index_rows(file), start=2):
        if "number" not in row or "name" not in row:
            raise ValueError("it needs the columns number and name")
        number = _label_number(row["number"], line)
        name = clean_name(row["name"])
        if number is None or name.lower() in UNLABELLED_NAMES:
            continue
        names.setdefault(number, name)
        found = (_CATEGORY.match(part) for part in row.get("category", "").split(";"))
        own = tuple(match[1] for match in found if match is not None and match[1])
        categories.setdefault(number, own)
    return names, categories


def _label_number(text: str, line: int) -> int | None:
    """The number of a row; None for 0, which is no label."""
    if not text.strip():
        return None
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"line {line}: “{clean_name(text)}” is no number") from None
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError(f"line {line}: {number} is not between 0 and {MAX_NUMBER}")
    return number or None


def _memberships(
    folder: Path,
    categories: tuple[str, ...],
    names: dict[int, str],
    listed: dict[int, tuple[str, ...]],
) -> dict[int, tuple[str, ...]]:
    """For each number its categories, its own first one first."""
    found = {number: list(own) for number, own in listed.items()}
    for category in categories:
        file = _category_file(folder, category)
        if file is not None:
            for number in _parsed(file, partial(_listed_numbers, file)):
                own = found.setdefault(number, [])
                if category not in own:
                    own.append(category)
    ranges = list(_ranges(folder / "category.csv", categories))
    for number in names:
        if not found[number]:
            within = [name for name, first, last in ranges if first <= number <= last]
            found[number] = within or list(categories)
    # A category without a column labels no image: it has no concepts here.
    return {n: tuple(c for c in own if c in categories) for n, own in found.items()}


def _category_file(folder: Path, category: str) -> Path | None:
    if re.fullmatch(r"[\w -]+", category) is None:  # a column's name must not lead elsewhere
        return None
    file = folder / f"c_{category}.csv"
    return file if file.is_file() else None


def _listed_numbers(file: Path) -> list[int]:
    numbers = []
    for line, row in enumerate(index_rows(file), start=2):
        if "number" not in row:
            raise ValueError("it needs the column number")
        numbers.append(_label_number(row["number"], line))
    return [number for number in numbers if number is not None]


def _ranges(file: Path, categories: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    # Only a help for numbers that no other table places: a layout may do without it.
    with contextlib.suppress(OSError, ValueError, csv.Error):
        for row in index_rows(file):
            name = row.get("name", "")
            if name in categories:
                yield name, int(row.get("first", "")), int(row.get("last", ""))


def _number(
    categories: tuple[str, ...], names: dict[int, str], memberships: dict[int, tuple[str, ...]]
) -> tuple[tuple[LabelConcept, ...], tuple[np.ndarray, ...]]:
    ordered = sorted(number for number in names if memberships[number])
    concepts, code_of = number_concepts(
        LabelConcept(names[number], category)
        for category in categories
        for number in ordered
        if category in memberships[number]
    )
    tables = []
    for category in categories:
        codes = np.zeros(MAX_NUMBER + 1, dtype=np.int32)
        for number in ordered:
            own = memberships[number]
            chosen = category if category in own else own[0]
            codes[number] = code_of[LabelConcept(names[number], chosen)]
        tables.append(codes)
    return concepts, tuple(tables)


def _tables_key(folder: Path) -> str:
    digest = hashlib.sha256(b"broden")
    for file in sorted(folder.glob("*.csv")):
        digest.update(file.name.encode("utf-8", "surrogateescape"))
        with contextlib.suppress(OSError):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
