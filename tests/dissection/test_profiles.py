"""Profiles against counting by hand and on the LCE authors' data."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.dissection.profiles import abstracted_profiles, dissect_profiles
from analysis.dissection.tables import read_dissection_csv
from analysis.errors import AuditError


def test_a_name_in_two_categories_is_two_concepts() -> None:
    rows = [
        ("b", "food", "object", True),
        ("b", "food", "material", True),
        ("b", "food", "material", True),
        ("a", "sky", "object", True),
        ("a", "sky", "object", False),
        ("c", "", "dead", False),
    ]
    profiles = dissect_profiles(*zip(*rows, strict=True))
    assert profiles.models == ("b", "a", "c")
    assert profiles.concepts == ("food", "food", "sky")
    assert profiles.categories == ("material", "object", "object")
    assert profiles.units.tolist() == [[2, 1, 0], [0, 0, 1], [0, 0, 0]]
    short = abstracted_profiles(profiles)
    assert short.categories == ("material", "object")
    assert short.all_units.tolist() == [[2, 1], [0, 1], [0, 0]]
    assert short.unique_concepts.tolist() == [[1, 1], [0, 1], [0, 0]]


def test_no_interpretable_unit_and_chosen_models() -> None:
    empty = dissect_profiles(["a", "b"], ["", ""], ["dead", "dead"], [False, False])
    assert empty.units.shape == (2, 0)
    assert abstracted_profiles(empty).all_units.shape == (2, 0)
    nothing = dissect_profiles([], [], [], [], models=["b", "a"])
    assert nothing.models == ("b", "a")
    with pytest.raises(AuditError, match="“b” is not among"):
        dissect_profiles(["a", "b"], ["x", "x"], ["y", "y"], [True, True], models=["a"])
    with pytest.raises(AuditError, match="length"):
        dissect_profiles(["a", "b"], ["x"], ["y", "y"], [True, True])


@pytest.mark.shared
def test_the_authors_concepts(shared: Path) -> None:
    table = read_dissection_csv(shared / "data" / "lce" / "models_dissect_profiles_raw.csv")
    profiles = dissect_profiles(
        table.model, table.concept, table.category, table.interpretable(0.04)
    )
    assert len(profiles.models) == 20
    sizes = Counter(profiles.categories)
    assert sizes == {"object": 67, "part": 54, "material": 16, "color": 8}
    kept = table.iou > 0.04
    pairs = Counter(zip(table.model[kept], table.concept[kept], table.category[kept], strict=True))
    for (model, concept, category), units in pairs.items():
        columns = zip(profiles.concepts, profiles.categories, strict=True)
        column = list(columns).index((concept, category))
        assert profiles.units[profiles.models.index(model), column] == units
    short = abstracted_profiles(profiles)
    np.testing.assert_array_equal(short.all_units.sum(axis=1), profiles.units.sum(axis=1))


def test_tables_and_profiles_import_no_torch() -> None:
    code = (
        "import sys, analysis.dissection.profiles, analysis.dissection.table_export;"
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
