"""Arrays that may be larger than memory, for as long as a run lasts."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from analysis.audits.feature_cache import cache_folder

IN_MEMORY = 1 << 30
"""Bytes of all arrays of a spool together that are kept in memory."""


class Spool:
    """Makes arrays: in memory while they are small together, else in files that vanish at the end.

    :param limit: bytes in memory at most.
    """

    def __init__(self, limit: int = IN_MEMORY) -> None:
        self._limit = limit
        self._used = 0
        self._folder: Path | None = None
        self._mapped: list[np.memmap] = []
        self._numbers = itertools.count()  # a released file's name may still be in use

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array of zeros to be filled."""
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if self._used + size <= self._limit:
            self._used += size
            return np.zeros(shape, dtype)
        if self._folder is None:
            cache_folder().mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="run-", dir=cache_folder()))
        path = self._folder / f"{next(self._numbers)}.bin"
        mapped = np.memmap(path, dtype=dtype, mode="w+", shape=shape)
        self._mapped.append(mapped)
        return mapped

    def release(self, array: np.ndarray) -> None:
        """Count an array as gone; the caller must let go of it."""
        if isinstance(array, np.memmap):
            self._mapped = [mapped for mapped in self._mapped if mapped is not array]
            with contextlib.suppress(OSError):
                Path(str(array.filename)).unlink()  # on Windows it goes when the spool is closed
        else:
            self._used -= array.nbytes

    def close(self) -> None:
        """Remove all files."""
        self._mapped.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
