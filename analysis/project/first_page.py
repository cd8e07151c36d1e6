"""Mending the first page of a copy of a damaged project, without which SQLite reads nothing.

The first page holds the file's header and the catalogue of tables (where each one's root page
lies). Tables are made in a fixed order in an empty file, and compaction keeps that order, so the
catalogue of an empty project of the same version fits; one that was migrated with its data may
differ, which the check of the root pages finds out.
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
_TABLE_PAGES = frozenset({0x05, 0x0D})
# Damage may have hit some roots too; of random bytes one in a hundred and thirty looks right.
_PLAUSIBLE_SHARE = 0.6


class _EmptyProject(NamedTuple):
    first_page: bytes
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
    """Overwrite the first page with that of an empty project, if its tables' places fit.

    :return: whether they fit those of any version; if not, nothing was written.
    """
    for version in range(migrations.latest_version(), 0, -1):
        empty = _empty_project(version)
        if _plausible(path, empty):
            _write_first_page(path, empty.first_page)
            return True
    return False


def _empty_project(version: int) -> _EmptyProject:
    with tempfile.TemporaryDirectory(prefix="parallax-") as folder:
        path = Path(folder) / "empty.parallax"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrations.create_tables(connection, version)
            roots = connection.execute("SELECT type, rootpage FROM sqlite_schema").fetchall()
        return _EmptyProject(path.read_bytes()[:PAGE_SIZE], tuple(roots))


def _plausible(path: Path, empty: _EmptyProject) -> bool:
    right = 0
    with path.open("rb") as file:
        for kind, page in empty.roots:
            file.seek((page - 1) * PAGE_SIZE)
            first = file.read(1)
            pages = _TABLE_PAGES if kind == "table" else _INDEX_PAGES
            right += bool(first) and first[0] in pages
    return right >= _PLAUSIBLE_SHARE * len(empty.roots)


def _write_first_page(path: Path, first_page: bytes) -> None:
    page = bytearray(first_page)
    page[_PAGE_COUNT] = (path.stat().st_size // PAGE_SIZE).to_bytes(4, "big")
    page[_FREE_PAGES] = bytes(8)
    if journal(path, "-wal").exists():
        page[_WRITE_AHEAD] = b"\x02\x02"
    with path.open("r+b") as file:
        file.write(page)
