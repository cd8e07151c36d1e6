"""Reading the rows of a table with damaged pages: every row but those on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_FURTHEST_ROW = 2**40
_PROBE_GROWTH = 1.1


class TableWalk:
    """A walk through a table by row number.

    Forwards until a page cannot be read, backwards from the end until one cannot, and the gap
    between is halved and walked the same way. So a damaged page costs its own rows alone.

    :ivar lost: how many row numbers could not be read; none of them need have existed.
    :ivar end_lost: the last page could not be read, so more rows may have followed.
    """

    def __init__(self, connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
        self._connection = connection
        names = ", ".join(f'"{column}"' for column in columns)
        self._select = f"SELECT rowid, {names} FROM {table} NOT INDEXED"
        self._greatest = f"SELECT max(rowid) FROM {table} NOT INDEXED"
        self.lost = 0
        self.end_lost = False
        self._damaged = False
        self._reached = 0

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every row that can be read, once, in no particular order."""
        upper = self._upper_bound()
        if upper is None:
            self.end_lost = True
            upper = self._last_landing()
            yield from self._scan(upper - 1, _FURTHEST_ROW)
        gaps = [(0, upper)]
        while gaps:
            yield from self._narrow(*gaps.pop(), gaps)

    def _upper_bound(self) -> int | None:
        """A number above the last row's; None: the last page cannot be read."""
        try:
            greatest = self._connection.execute(self._greatest).fetchone()[0]
        except sqlite3.DatabaseError:
            return None
        return 1 if greatest is None else greatest + 1

    def _last_landing(self) -> int:
        """The number of a row that can be read, as near to the damaged end as probes find."""
        landing, probe = 1, 0.0
        while probe < _FURTHEST_ROW:
            for number, *_ in self._scan(int(probe), _FURTHEST_ROW):
                landing = max(landing, number)
                break
            probe = max(probe + 1, probe * _PROBE_GROWTH)
        return landing

    def _narrow(
        self, low: int, high: int, gaps: list[tuple[int, int]]
    ) -> Iterator[tuple[Any, ...]]:
        """Read the rows between two numbers from both ends; put what is left into `gaps`."""
        yield from self._scan(low, high)
        if not self._damaged:
            return
        low = self._reached
        yield from self._scan(low, high, backwards=True)
        if not self._damaged:
            return
        high = self._reached
        if high - low == 2:
            self.lost += 1
        elif high - low > 2:
            middle = (low + high) // 2
            gaps += [(low, middle + 1), (middle, high)]

    def _scan(self, low: int, high: int, backwards: bool = False) -> Iterator[tuple[Any, ...]]:
        """Rows between two numbers, until damage; `_reached` is the last one's number."""
        self._damaged = False
        self._reached = high if backwards else low
        order = "DESC" if backwards else "ASC"
        query = f"{self._select} WHERE rowid > ? AND rowid < ? ORDER BY rowid {order}"
        try:
            yield from self._in_order(query, low, high, backwards)
        except sqlite3.DatabaseError:
            self._damaged = True
            # Python looks one row ahead: the last good one is withheld, but comes if asked alone.
            rest = (low, self._reached) if backwards else (self._reached, high)
            with suppress(sqlite3.DatabaseError):
                yield from self._in_order(f"{query} LIMIT 1", *rest, backwards)

    def _in_order(
        self, query: str, low: int, high: int, backwards: bool
    ) -> Iterator[tuple[Any, ...]]:
        for row in self._connection.execute(query, (low, high)):
            # Pages that were mixed up may lead anywhere, also back to where one was.
            between = (low, self._reached) if backwards else (self._reached, high)
            if not between[0] < row[0] < between[1]:
                self._damaged = True
                return
            self._reached = row[0]
            yield row
