"""Numeric arrays inside a project file: named, typed, cut into chunks and verified.

An array is stored as (dtype, shape, codec, sha256 of all its bytes) and chunks of 4 MiB, each
compressed on its own. Reading trusts none of it: the type must be a plain number, the lengths must
fit one another before memory is taken, a chunk can unpack to no more than its share, and the sum
must match. There is no pickle.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import zlib

import numpy as np

from analysis.errors import AuditError

CHUNK_BYTES = 4 * 2**20
MAXIMUM_BYTES = 2**30
_MAXIMUM_DIMENSIONS = 8
# Fast enough not to be felt beside a forward pass; higher levels gain a few per cent on floats.
_COMPRESSION_LEVEL = 1
# Compression that saves less costs more time at each reading than it is worth.
_WORTHWHILE = 0.9
_DTYPES = frozenset(
    f"{order}{kind}"
    for order, kinds in (
        ("|", ("b1", "u1", "i1")),
        ("<", ("u2", "u4", "u8", "i2", "i4", "i8", "f2", "f4", "f8")),
    )
    for kind in kinds
)


def write_array(
    connection: sqlite3.Connection, run: int | None, name: str, array: np.ndarray
) -> int:
    """Store `array` under `name`, replacing what was there; return its id.

    :param run: the run that it belongs to and is deleted with; None: the project.
    :raises AuditError: the array is larger than 1 GiB or does not hold plain numbers.
    """
    stored = _portable(name, array)
    data = _bytes(stored)
    codec = _choose_codec(data)
    connection.execute("DELETE FROM array WHERE run IS ? AND name = ?", (run, name))
    cursor = connection.execute(
        "INSERT INTO array (run, name, dtype, shape, codec, sha256, size_bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            run,
            name,
            stored.dtype.str,
            json.dumps(array.shape),
            codec,
            hashlib.sha256(data).hexdigest(),
            stored.nbytes,
        ),
    )
    array_id = cursor.lastrowid
    assert array_id is not None
    connection.executemany(
        "INSERT INTO array_chunk (array, position, data) VALUES (?, ?, ?)",
        (
            (array_id, position, _encode(data[start : start + CHUNK_BYTES], codec))
            for position, start in enumerate(range(0, len(data), CHUNK_BYTES))
        ),
    )
    return array_id


def read_array(connection: sqlite3.Connection, run: int | None, name: str) -> np.ndarray:
    """The array stored under `name`, exactly as it was written (little-endian).

    :raises AuditError: there is none, or what is stored does not fit together.
    """
    head = connection.execute(
        "SELECT id, dtype, shape, codec, sha256, size_bytes FROM array WHERE run IS ? AND name = ?",
        (run, name),
    ).fetchone()
    if head is None:
        raise AuditError(f"The project holds no array “{name}”.", "Run the audit again.")
    array_id, dtype, shape_text, codec, sha256, size_bytes = head
    array = _allocate(name, dtype, shape_text, codec, size_bytes)
    _fill(connection, array_id, name, codec, _bytes(array))
    if hashlib.sha256(_bytes(array)).hexdigest() != sha256:
        raise _broken(name)
    return array


def has_array(connection: sqlite3.Connection, run: int | None, name: str) -> bool:
    """Whether an array is stored under `name`."""
    query = "SELECT 1 FROM array WHERE run IS ? AND name = ?"
    return connection.execute(query, (run, name)).fetchone() is not None


def _bytes(array: np.ndarray) -> memoryview:
    """The contiguous array's own memory, byte by byte."""
    return array.reshape(-1).view(np.uint8).data


def _portable(name: str, array: np.ndarray) -> np.ndarray:
    stored = np.ascontiguousarray(array)
    stored = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    if stored.dtype.str not in _DTYPES:
        raise AuditError(f"The array “{name}” holds {array.dtype}, not plain numbers.")
    if stored.nbytes > MAXIMUM_BYTES or array.ndim > _MAXIMUM_DIMENSIONS:
        raise AuditError(
            f"The array “{name}” of {stored.nbytes / 2**20:.0f} MiB is too large for a project.",
            f"At most {MAXIMUM_BYTES // 2**20} MiB fit: use fewer images or classes.",
        )
    return stored


def _choose_codec(data: memoryview) -> str:
    sample = data[: 2**16]
    if len(zlib.compress(sample, _COMPRESSION_LEVEL)) < _WORTHWHILE * len(sample):
        return "zlib"
    return "raw"


def _encode(chunk: memoryview, codec: str) -> memoryview | bytes:
    return zlib.compress(chunk, _COMPRESSION_LEVEL) if codec == "zlib" else chunk


def _allocate(name: str, dtype: str, shape_text: str, codec: str, size_bytes: int) -> np.ndarray:
    """Memory for the array, once its description makes sense."""
    try:
        shape = json.loads(shape_text)
    except ValueError as error:
        raise _broken(name) from error
    plain = (
        dtype in _DTYPES
        and codec in ("raw", "zlib")
        and isinstance(shape, list)
        and len(shape) <= _MAXIMUM_DIMENSIONS
        and all(type(side) is int and side >= 0 for side in shape)
    )
    if not plain or size_bytes > MAXIMUM_BYTES:
        raise _broken(name)
    if math.prod(shape) * np.dtype(dtype).itemsize != size_bytes:
        raise _broken(name)
    return np.empty(shape, dtype)


def _fill(
    connection: sqlite3.Connection, array_id: int, name: str, codec: str, target: memoryview
) -> None:
    chunks = connection.execute(
        "SELECT position, data FROM array_chunk WHERE array = ? ORDER BY position", (array_id,)
    )
    start = 0
    for expected, (position, data) in enumerate(chunks):
        share = min(CHUNK_BYTES, len(target) - start)
        if position != expected or share == 0:
            raise _broken(name)
        chunk = _decode(data, codec, share)
        if chunk is None or len(chunk) != share:
            raise _broken(name)
        target[start : start + share] = chunk
        start += share
    if start != len(target):
        raise _broken(name)


def _decode(data: bytes, codec: str, share: int) -> bytes | None:
    """The chunk's bytes, at most one more than its share; None if they cannot be unpacked."""
    if codec == "raw":
        return data
    unpacking = zlib.decompressobj()
    try:
        chunk = unpacking.decompress(data, share + 1)
    except zlib.error:
        return None
    return chunk if unpacking.eof else None


def _broken(name: str) -> AuditError:
    return AuditError(
        f"The array “{name}” of the project is damaged.",
        "Run the audit that made it again.",
    )
