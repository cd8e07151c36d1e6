"""Arrays come back as they were, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from analysis.errors import AuditError
from analysis.project import Project, arrays

DTYPES = ["?", "u1", "i1", "<u2", "<i4", "<i8", "<u8", "<f2", "<f4", "<f8", ">f4", ">i2"]


@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays_of.arrays(
            dtype, arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
        )
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_arrays_come_back_as_they_were(project: Project, array: np.ndarray) -> None:
    with project.transaction() as connection:
        project.write_array(connection, None, "name", array)
    read = project.read_array(None, "name")
    assert read.shape == array.shape
    assert read.dtype == array.dtype.newbyteorder("<")
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("noise", [True, False])
def test_large_arrays_are_cut_and_squeezed_if_it_pays(
    project: Project, noise: bool, order: str
) -> None:
    random = np.random.default_rng(3)
    array = random.normal(size=(1500, 1000)) if noise else np.zeros((1500, 1000))
    array = np.asarray(array, order=order)
    with project.transaction() as connection:
        project.write_array(connection, None, "large", array)
    np.testing.assert_array_equal(project.read_array(None, "large"), array)
    head = project.row("SELECT codec, size_bytes, sha256 FROM array")
    assert head is not None
    assert head["size_bytes"] == array.nbytes
    assert head["sha256"] == hashlib.sha256(array.tobytes()).hexdigest()
    assert head["codec"] == ("raw" if noise else "zlib")
    chunks, stored = project.row("SELECT count(*), sum(length(data)) FROM array_chunk") or (0, 0)
    assert chunks == -(-array.nbytes // arrays.CHUNK_BYTES) == 3
    assert stored == array.nbytes if noise else stored < array.nbytes / 50


def test_writing_again_replaces(filled: Project) -> None:
    for run in (None, 1):
        for value in (1, 2):
            with filled.transaction() as connection:
                filled.write_array(connection, run, "again", np.array([value]))
        assert filled.read_array(run, "again") == [2]
    assert filled.value("SELECT count(*) FROM array WHERE name = 'again'") == 2
    orphans = "SELECT count(*) FROM array_chunk WHERE array NOT IN (SELECT id FROM array)"
    assert filled.value(orphans) == 0


def test_missing_array(filled: Project) -> None:
    assert filled.has_array(1, "class/cat/a/real")
    assert not filled.has_array(None, "class/cat/a/real")
    with pytest.raises(AuditError, match="no array “nothing”"):
        filled.read_array(1, "nothing")


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}], dtype=object),
        np.array(["text"]),
        np.array([1j]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
        np.array(["2020"], dtype="datetime64[s]"),
        np.zeros((1,) * 9),
    ],
    ids=["objects", "text", "complex", "records", "dates", "nine dimensions"],
)
def test_anything_but_plain_numbers_is_refused(project: Project, array: np.ndarray) -> None:
    with pytest.raises(AuditError), project.transaction() as connection:
        project.write_array(connection, None, "name", array)
    assert not project.has_array(None, "name")


def test_arrays_that_are_too_large_are_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MAXIMUM_BYTES", 100)
    with pytest.raises(AuditError, match="too large"), project.transaction() as connection:
        project.write_array(connection, None, "name", np.zeros(13))


class Surprise:
    """Unpickling it would raise `AssertionError`."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return AssertionError, ("a pickle was read",)


MIB = 2**20


@pytest.mark.parametrize(
    ("head", "chunks"),
    [
        ({"dtype": "|O"}, None),
        ({"dtype": "|O", "size_bytes": 8, "shape": "[1]"}, [pickle.dumps(Surprise())]),
        ({"dtype": "<f4, <f4"}, None),
        ({"dtype": "<M8[s]"}, None),
        ({"dtype": "nonsense"}, None),
        ({"shape": "[-4]"}, None),
        ({"shape": "[true, 4]"}, None),
        ({"shape": "[2.0, 2]"}, None),
        ({"shape": '{"a": 1}'}, None),
        ({"shape": "[["}, None),
        ({"shape": "[5]"}, None),
        ({"shape": f"[{2**62}, 4]"}, None),
        ({"shape": "[" + "1," * 8 + "4]"}, None),
        ({"size_bytes": 2**40, "shape": f"[{2**38}]"}, None),
        ({"size_bytes": -16, "shape": "[-4]"}, None),
        ({"codec": "lzma"}, None),
        ({"codec": "zlib"}, None),
        ({"sha256": "0" * 64}, None),
        ({}, []),
        ({}, [bytes(15)]),
        ({}, [bytes(17)]),
        ({}, [bytes(8), bytes(8)]),
        ({}, [bytes(16), b""]),
        ({"codec": "zlib"}, [zlib.compress(bytes(15))]),
        ({"codec": "zlib"}, [zlib.compress(bytes(17))]),
        ({"codec": "zlib"}, [zlib.compress(bytes(16))[:-1]]),
        ({"codec": "zlib"}, [zlib.compress(bytes(64 * MIB))]),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(
    project: Project, head: dict[str, object], chunks: list[bytes] | None
) -> None:
    with project.transaction() as connection:
        project.write_array(connection, None, "name", np.array([1.1, 2.2, 3.3, 4.4], "f4"))
        for column, value in head.items():
            connection.execute(f"UPDATE array SET {column} = ?", (value,))
        if chunks is not None:
            connection.execute("DELETE FROM array_chunk")
            connection.executemany(
                "INSERT INTO array_chunk (array, position, data) VALUES (1, ?, ?)",
                list(enumerate(chunks)),
            )
    with pytest.raises(AuditError, match="damaged"):
        project.read_array(None, "name")


def test_a_changed_byte_is_noticed(project: Project) -> None:
    array = np.random.default_rng(1).normal(size=100)
    with project.transaction() as connection:
        project.write_array(connection, None, "name", array)
        data = bytearray(connection.execute("SELECT data FROM array_chunk").fetchone()[0])
        data[7] ^= 1
        connection.execute("UPDATE array_chunk SET data = ?", (bytes(data),))
    with pytest.raises(AuditError, match="damaged"):
        project.read_array(None, "name")


def test_shape_is_kept_as_json(project: Project) -> None:
    with project.transaction() as connection:
        project.write_array(connection, None, "name", np.zeros((2, 3)))
    assert json.loads(project.value("SELECT shape FROM array")) == [2, 3]
