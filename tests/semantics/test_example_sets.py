"""Negative sets, splits and permuted labels."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.semantics.example_sets import (
    ConceptExamples,
    LinearProblems,
    check_examples,
    draw_null_problems,
    draw_problems,
    held_out_count,
)

CONCEPT = ConceptExamples("c", np.arange(10, 25), np.arange(30, 90))


def _members(problems: LinearProblems, number: int) -> tuple[dict[int, float], dict[int, float]]:
    sides = []
    for rows, sign in (
        (problems.train[number], problems.train_sign[number]),
        (problems.test[number], problems.test_sign[number]),
    ):
        kept = sign != 0
        assert len(np.unique(rows[kept])) == kept.sum()
        sides.append(dict(zip(rows[kept].tolist(), sign[kept].tolist(), strict=True)))
    return sides[0], sides[1]


def test_each_set_has_all_positives_and_a_stratified_split() -> None:
    problems = draw_problems(CONCEPT, 40)
    seen = set()
    for number in range(40):
        train, test = _members(problems, number)
        assert not set(train) & set(test)
        both = train | test
        assert {row for row, sign in both.items() if sign > 0} == set(range(10, 25))
        negatives = {row for row, sign in both.items() if sign < 0}
        assert len(negatives) == 15
        assert negatives <= set(range(30, 90))
        assert sorted(test.values()) == [-1.0] * 5 + [1.0] * 5
        seen |= negatives
    assert len(seen) == 60


def test_draws_repeat_by_seed_and_name_alone() -> None:
    first, again = draw_problems(CONCEPT, 5, seed=3), draw_problems(CONCEPT, 5, seed=3)
    np.testing.assert_array_equal(first.train, again.train)
    assert not np.array_equal(first.train, draw_problems(CONCEPT, 5, seed=4).train)
    other = ConceptExamples("d", CONCEPT.positives, CONCEPT.negatives)
    assert not np.array_equal(first.train, draw_problems(other, 5, seed=3).train)


def test_pseudo_concepts_share_their_positives_between_sets() -> None:
    problems = draw_null_problems(CONCEPT, 30, 4)
    assert len(problems) == 120
    kinds = []
    for permutation in range(30):
        positives = []
        for number in range(4 * permutation, 4 * permutation + 4):
            train, test = _members(problems, number)
            positives.append(frozenset(row for row, s in (train | test).items() if s > 0))
            assert len(positives[-1]) == 15
        assert len(set(positives)) == 1
        kinds.append(positives[0])
    assert len(set(kinds)) == 30
    # Each example of 75 is in a pseudo-concept with the same chance, 15 in 75.
    share = np.mean([len(kind & set(range(10, 25))) for kind in kinds])
    assert 1.5 < share < 4.5


def test_whole_images_fall_on_one_side_of_a_split() -> None:
    # Five patches an image; image 5 has both kinds.
    images = np.arange(90) // 5
    mixed = ConceptExamples("c", np.arange(3, 28), np.arange(28, 90))
    for problems in (
        draw_problems(mixed, 20, groups=images),
        draw_null_problems(mixed, 10, 2, groups=images),
    ):
        for number in range(len(problems)):
            train, test = _members(problems, number)
            assert not {images[row] for row in train} & {images[row] for row in test}
            assert {1.0, -1.0} == set(train.values())
            assert {1.0, -1.0} == set(test.values())


def test_permuted_labels_keep_images_whole() -> None:
    images = np.arange(90) // 5
    pure = ConceptExamples("c", np.arange(0, 25), np.arange(25, 90))
    problems = draw_null_problems(pure, 12, 1, set_size=65, groups=images)
    for number in range(len(problems)):
        train, test = _members(problems, number)
        positive = {images[row] for row, sign in (train | test).items() if sign > 0}
        negative = {images[row] for row, sign in (train | test).items() if sign < 0}
        assert len(positive) == 5
        assert not positive & negative


@pytest.mark.parametrize(("images", "held"), [(3, 1), (4, 1), (15, 5), (50, 17), (6, 2)])
def test_a_third_is_held_out(images: int, held: int) -> None:
    assert held_out_count(images, 1 / 3) == held


@pytest.mark.parametrize(
    ("positives", "negatives", "text"),
    [
        ([0, 1], [2, 3, 4], "more images"),
        ([0, 1, 2], [3], "more images"),
        ([0, 1, 1, 2], [3, 4, 5], "twice"),
        ([0, 1, 2], [2, 3, 4], "also its negatives"),
        ([0, 1, 20], [2, 3, 4], "beyond"),
        ([0, 1, -1], [2, 3, 4], "beyond"),
        ([], [2, 3, 4], "more images"),
    ],
)
def test_bad_examples_are_refused(positives: list[int], negatives: list[int], text: str) -> None:
    concept = ConceptExamples("c", np.array(positives), np.array(negatives))
    with pytest.raises(AuditError, match=text):
        check_examples(concept, 10, None)
