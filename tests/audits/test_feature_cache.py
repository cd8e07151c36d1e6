from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.audits.feature_cache import FeatureCache, cache_folder, feature_key


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features.sqlite", limit=100_000)


def _matrix(seed: int, rows: int = 16, columns: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def test_what_is_written_is_read_bit_for_bit(cache: FeatureCache) -> None:
    cache.write({b"one": _matrix(1), b"two": _matrix(2)})
    read = cache.read([b"two", b"one"])
    assert read is not None
    np.testing.assert_array_equal(read[0], _matrix(2))
    np.testing.assert_array_equal(read[1], _matrix(1))


def test_half_precision_stays_so(cache: FeatureCache) -> None:
    half = _matrix(3, 5, 7).astype(np.float16)
    cache.write({b"half": half})
    read = cache.read([b"half"])
    assert read is not None
    assert read[0].dtype == np.float16
    np.testing.assert_array_equal(read[0], half)


def test_a_missing_part_makes_the_whole_missing(cache: FeatureCache) -> None:
    cache.write({b"one": _matrix(1)})
    assert cache.read([b"one", b"two"]) is None


def test_the_least_recently_used_go_first(cache: FeatureCache) -> None:
    for number in range(200):
        cache.write({f"{number}".encode(): _matrix(number)})
        cache.read([b"0"])
    assert cache.size <= 100_000
    assert cache.read([b"0"]) is not None
    assert cache.read([b"1"]) is None


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "features.sqlite"
    path.write_bytes(b"no database" * 500)
    cache = FeatureCache(path)
    cache.write({b"one": _matrix(1)})
    assert cache.read([b"one"]) is not None


def test_clearing_gives_the_space_back(cache: FeatureCache) -> None:
    cache.write({b"one": _matrix(1)})
    cache.clear()
    assert cache.size == 0
    assert cache.read([b"one"]) is None


def test_a_cache_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    cache = FeatureCache(blocker / "features.sqlite")
    cache.write({b"one": _matrix(1)})
    assert cache.read([b"one"]) is None


def test_keys_change_with_everything_they_are_made_of() -> None:
    base = {"weights": "w", "layer": "l", "grid": [64, 51]}
    keys = {feature_key(**base), feature_key(**{**base, "layer": "m"})}
    keys.add(feature_key(**{**base, "grid": [64, 50]}))
    assert len(keys) == 3
    assert feature_key(**base) == feature_key(**dict(reversed(base.items())))


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere"
