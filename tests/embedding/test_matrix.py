"""Super-set, category sizes and profiles of units."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from analysis.embedding.matrix import (
    ConceptMatrix,
    category_totals,
    matrix_of_counts,
    profile_values,
    without_first_concept,
    without_model,
)
from analysis.embedding.presets import PUBLISHED_MODELS, fitted_models, preset_matrix
from analysis.embedding.units import interpretable, labelled_units, matrix_at, unit_totals
from analysis.errors import AuditError

PROFILES = {
    "b": {("food", "object"): 3, ("sky", "color"): 1},
    "a": {("food", "material"): 2, ("food", "object"): 1, ("car", "object"): 4},
    "empty": {},
}


def _matrix(profiles: dict[str, dict[tuple[str, str], int]]) -> ConceptMatrix:
    concepts = sorted({concept for profile in profiles.values() for concept in profile})
    counts = [[profile.get(concept, 0) for concept in concepts] for profile in profiles.values()]
    return matrix_of_counts(tuple(profiles), concepts, np.array(counts))


def test_importing_needs_neither_torch_nor_scikit_learn() -> None:
    modules = "components, correlations, embed, groups, matrix, presets, stability, surface, units"
    code = (
        f"from analysis.embedding import {modules}; import sys; "
        "print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_counts_are_divided_by_the_size_of_the_category() -> None:
    matrix = _matrix(PROFILES)
    assert matrix.models == ("b", "a", "empty")
    concepts = list(zip(matrix.concepts, matrix.categories, strict=True))
    assert concepts == [
        ("sky", "color"),
        ("food", "material"),
        ("car", "object"),
        ("food", "object"),
    ]
    assert matrix.category_sizes.tolist() == [1, 1, 2, 2]
    assert matrix.values.tolist() == [[1, 0, 0, 1.5], [0, 2, 2, 0.5], [0, 0, 0, 0]]


def test_dropping_a_concept_keeps_the_sizes() -> None:
    matrix = matrix_of_counts(["x"], [("b", "o"), ("a", "o")], np.array([[1, 2]]))
    less = without_first_concept(matrix)
    assert less.concepts == ("b",)
    assert less.values.tolist() == [[0.5]]
    assert without_first_concept(less) is less
    assert preset_matrix(matrix, "default") is matrix


def test_without_a_model_its_own_concepts_go() -> None:
    matrix = without_model(_matrix(PROFILES), 1)
    assert matrix.models == ("b", "empty")
    assert matrix.concepts == ("sky", "food")
    assert matrix.category_sizes.tolist() == [1, 1]


def test_a_further_model_in_an_existing_matrix() -> None:
    matrix = _matrix(PROFILES)
    values, left_out = profile_values(matrix, {("food", "object"): 4, ("dog", "object"): 9})
    assert values.tolist() == [0, 0, 0, 2]
    assert left_out == (("dog", "object"),)


def test_abstracted_profile() -> None:
    totals = category_totals(_matrix(PROFILES))
    assert totals.categories == ("color", "material", "object")
    assert totals.all.tolist() == [[1, 0, 3], [0, 2, 5], [0, 0, 0]]
    assert totals.unique.tolist() == [[1, 0, 1], [0, 1, 2], [0, 0, 0]]


def test_interpretable_is_strictly_above_threshold_and_chance() -> None:
    units = labelled_units(
        ["m", "n"],
        [
            ("m", "cat", "object", 0.04, None),
            ("m", "cat", "object", 0.0401, None),
            ("m", "cat", "object", 0.1, 0.2),
            ("m", "cat", "object", 0.3, 0.2),
            ("m", None, "dead", None, None),
            ("m", "cat", "object", float("nan"), None),
            ("n", "cat", "part", 0.5, 0.1),
        ],
    )
    assert interpretable(units, 0.04).tolist() == [False, True, False, True, False, False, True]
    assert unit_totals(units).tolist() == [6, 1]
    matrix = matrix_at(units, 0.04)
    assert matrix.categories == ("object", "part")
    assert matrix.counts.tolist() == [[2, 0], [0, 1]]
    assert matrix_at(units, 0.35).counts.tolist() == [[0], [1]]
    with pytest.raises(AuditError, match="No model has an interpretable unit"):
        matrix_at(units, 0.6)


def test_tables_that_cannot_be_embedded() -> None:
    with pytest.raises(AuditError, match="No model has an interpretable unit"):
        _matrix({"a": {}, "b": {("cat", "object"): 0}})
    with pytest.raises(AuditError, match="No model has an interpretable unit"):
        _matrix({})
    with pytest.raises(AuditError, match="same name"):
        matrix_of_counts(["a", "a"], [("cat", "object")], np.ones((2, 1)))
    with pytest.raises(AuditError, match="same name"):
        labelled_units(["a", "a"], [])
    with pytest.raises(AuditError, match="unknown model"):
        labelled_units(["a"], [("b", "cat", "object", 0.5, None)])
    with pytest.raises(AuditError, match="fewer than no units"):
        _matrix({"a": {("cat", "object"): -1}})
    with pytest.raises(AuditError, match="Unknown preset"):
        fitted_models(["a"], "published")  # type: ignore[arg-type]


def test_the_paper_preset_fits_the_published_models_where_all_are_there() -> None:
    models = ["Random(R)", *PUBLISHED_MODELS]
    assert fitted_models(models, "paper").tolist() == [False] + [True] * 13
    assert fitted_models(models[:-1], "paper").all()
    assert fitted_models(models, "default").all()
