"""Activations kept between runs in the user's cache folder, keyed by what they were made from.

The key holds the weights' hash, the image's hash, preprocessing, frame and patch grid, layer,
reduction, precision and device: a stale entry cannot be found, so it cannot be used by mistake.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

DEFAULT_LIMIT = 4 * 1024**3
_TYPES = ("<f4", "<f2")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feature (
    key BLOB PRIMARY KEY, rows INTEGER NOT NULL, dtype TEXT NOT NULL, data BLOB NOT NULL,
    size INTEGER NOT NULL, used REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""


def cache_folder() -> Path:
    """Where Parallax keeps what it can make again; `PARALLAX_CACHE` overrides it."""
    chosen = os.environ.get("PARALLAX_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("parallax", appauthor=False)


def feature_key(**parts: Any) -> bytes:
    """A key from everything the activations depend on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).digest()


class FeatureCache:
    """A bounded store of float32 and float16 matrices; losing it costs time, never results."""

    def __init__(self, path: Path | None = None, limit: int = DEFAULT_LIMIT) -> None:
        self._path = path or cache_folder() / "activations.sqlite"
        self._limit = limit
        self._connection = self._open()
        self._size = self._total_size()

    def _open(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = OFF")
                connection.executescript(_SCHEMA)
            except sqlite3.DatabaseError:
                self._remove_files()  # damaged: it holds nothing that cannot be made again
            except OSError:
                return None
            else:
                return connection
        return None

    def _remove_files(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _total_size(self) -> int:
        if self._connection is None:
            return 0
        return self._connection.execute("SELECT coalesce(sum(size), 0) FROM feature").fetchone()[0]

    def read(self, keys: Sequence[bytes]) -> list[np.ndarray] | None:
        """The matrices of all `keys`, or None if one is missing: parts are of no use."""
        if self._connection is None:
            return None
        found = []
        try:
            for key in keys:
                row = self._connection.execute(
                    "SELECT rows, dtype, data FROM feature WHERE key = ?", (key,)
                ).fetchone()
                if row is None or row[1] not in _TYPES or not row[0]:
                    return None
                if len(row[2]) % (np.dtype(row[1]).itemsize * row[0]):
                    return None
                found.append(np.frombuffer(row[2], dtype=row[1]).reshape(row[0], -1))
            self._connection.executemany(
                "UPDATE feature SET used = ? WHERE key = ?", [(time.time(), key) for key in keys]
            )
        except sqlite3.DatabaseError:
            return None
        return found

    def write(self, matrices: Mapping[bytes, np.ndarray]) -> None:
        """Keep matrices (rows, features); a full disk is no error, the cache just stays small.

        Half precision stays so, everything else becomes float32.
        """
        if self._connection is None:
            return
        now = time.time()
        rows = [
            (key, len(matrix), dtype, data, len(data), now)
            for key, matrix in matrices.items()
            if len(matrix)
            for dtype in ("<f2" if matrix.dtype == np.float16 else "<f4",)
            for data in (np.ascontiguousarray(matrix, dtype=dtype).tobytes(),)
        ]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO feature (key, rows, dtype, data, size, used)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._size += sum(row[4] for row in rows)
            if self._size > self._limit:
                self._evict()
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError:
            with contextlib.suppress(sqlite3.DatabaseError):
                self._connection.execute("ROLLBACK")

    def _evict(self) -> None:
        """Drop what was used least recently until a tenth of the limit is free."""
        assert self._connection is not None
        self._size = self._total_size()
        excess = self._size - int(self._limit * 0.9)
        doomed = []
        for key, size in self._connection.execute("SELECT key, size FROM feature ORDER BY used"):
            if excess <= 0:
                break
            doomed.append((key,))
            excess -= size
            self._size -= size
        self._connection.executemany("DELETE FROM feature WHERE key = ?", doomed)

    def clear(self) -> None:
        """Forget everything and give the disk space back."""
        if self._connection is not None:
            self._connection.execute("DELETE FROM feature")
            self._connection.execute("VACUUM")
            self._size = 0

    @property
    def size(self) -> int:
        """Bytes of activations kept."""
        return self._size

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
