"""Mending the first pages of a copy of a damaged project, without which SQLite reads nothing.

The first page holds the file's header and the catalogue of tables (where each one's root page
lies); a catalogue that is longer goes on in pages that the first one names. Tables are made in a
fixed order in an empty file, so the catalogue of an empty project of the same version fits, or
that of a compacted one; a file that was migrated with its data may differ, which the check of the
root pages finds out.
File format: https://sqlite.org/fileformat.html, sections 1.3 and 1.6.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from analysis.project import migrations
from analysis.project.replacing import journal
from analysis.project.schema import PAGE_SIZE

_PAGE_COUNT = slice(28, 32)
_FREE_PAGES = slice(32, 40)
_WRITE_AHEAD = slice(18, 20)
# The first byte of a page tells what it is: interior or leaf of an index or of a table.
_INDEX_PAGES = frozenset({0x02, 0x0A})
_INTERIOR_TABLE = 0x05
_TABLE_PAGES = frozenset({_INTERIOR_TABLE, 0x0D})
# Damage may have hit some roots too; of random bytes one in a hundred and thirty looks right.
_PLAUSIBLE_SHARE = 0.6


class _EmptyProject(NamedTuple):
    catalogue: dict[int, bytes]  # pages by their number, counted from 1
    roots: tuple[tuple[str, int], ...]  # kind, page number counted from 1


def correct_page_count(path: Path) -> None:
    """Make the header of a file that was cut off tell how many pages are left."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        header = bytearray(file.read(100))
        page_size = int.from_bytes(header[16:18], "big")
        told = int.from_bytes(header[_PAGE_COUNT], "big")
        if page_size == PAGE_SIZE and told > size // PAGE_SIZE:
            header[_PAGE_COUNT] = (size // PAGE_SIZE).to_bytes(4, "big")
            file.seek(0)
            file.write(header)


def restore_first_page(path: Path) -> bool:
    """Overwrite header and catalogue with those of an empty project, if its tables' places fit.

    :return: whether they fit those of any version; if not, nothing was written.
    """
    for version in range(migrations.latest_version(), 0, -1):
        for empty in _empty_projects(version):
            if _plausible(path, empty):
                _write_catalogue(path, empty.catalogue)
                return True
    return False


def _empty_projects(version: int) -> tuple[_EmptyProject, _EmptyProject]:
    """An empty project as it is made, and as compaction leaves it."""
    with tempfile.TemporaryDirectory(prefix="parallax-") as folder:
        made, compacted = Path(folder) / "made.parallax", Path(folder) / "compacted.parallax"
        with closing(sqlite3.connect(made, isolation_level=None)) as connection:
            migrations.create_tables(connection, version)
            connection.execute("VACUUM INTO ?", (str(compacted),))
        return _read_empty(made), _read_empty(compacted)


def _read_empty(path: Path) -> _EmptyProject:
    with closing(sqlite3.connect(path)) as connection:
        roots = connection.execute("SELECT type, rootpage FROM sqlite_schema").fetchall()
    data = path.read_bytes()
    pages = {number: data[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
             for number in (1, *_further_pages(data[:PAGE_SIZE]))}  # fmt: skip
    return _EmptyProject(pages, tuple(roots))


def _further_pages(first_page: bytes) -> list[int]:
    """The pages that the catalogue goes on in: the children of an interior first page."""
    header = first_page[100:112]
    if header[0] != _INTERIOR_TABLE:
        return []
    cells = range(112, 112 + 2 * int.from_bytes(header[3:5], "big"), 2)
    starts = [int.from_bytes(first_page[cell : cell + 2], "big") for cell in cells]
    children = [int.from_bytes(first_page[start : start + 4], "big") for start in starts]
    return [*children, int.from_bytes(header[8:12], "big")]


def _plausible(path: Path, empty: _EmptyProject) -> bool:
    right = 0
    with path.open("rb") as file:
        for kind, page in empty.roots:
            file.seek((page - 1) * PAGE_SIZE)
            first = file.read(1)
            pages = _TABLE_PAGES if kind == "table" else _INDEX_PAGES
            right += bool(first) and first[0] in pages
    return right >= _PLAUSIBLE_SHARE * len(empty.roots)


def _write_catalogue(path: Path, catalogue: dict[int, bytes]) -> None:
    page = bytearray(catalogue[1])
    page[_PAGE_COUNT] = (path.stat().st_size // PAGE_SIZE).to_bytes(4, "big")
    page[_FREE_PAGES] = bytes(8)
    if journal(path, "-wal").exists():
        page[_WRITE_AHEAD] = b"\x02\x02"
    with path.open("r+b") as file:
        for number, content in {**catalogue, 1: bytes(page)}.items():
            file.seek((number - 1) * PAGE_SIZE)
            file.write(content)
