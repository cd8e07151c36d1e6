"""Names of points cover neither one another nor points."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.figures.labels import needs_line, place_labels
from analysis.figures.palette import category_colours, group_mark, series_mark

_BOUNDS = (0.0, 0.0, 400.0, 300.0)


def _covered(one, one_size, other, other_size) -> bool:
    return bool((np.abs(one - other) < (one_size + other_size) / 2 - 1e-6).all())


@pytest.mark.parametrize("seed", range(4))
def test_labels_are_apart_and_inside(seed):
    random = np.random.default_rng(seed)
    points = np.concatenate([random.uniform(60, 340, (9, 2)), random.uniform(120, 170, (6, 2))])
    points[:, 1] *= 0.75
    sizes = np.stack([random.uniform(25, 60, 15), np.full(15, 8.0)], axis=1)
    centres = place_labels(points, sizes, _BOUNDS, radius=3)
    for i in range(15):
        assert (centres[i] - sizes[i] / 2 >= 0).all()
        assert (centres[i] + sizes[i] / 2 <= _BOUNDS[2:]).all()
        for j in range(15):
            marker = np.full(2, 6.0) if i != j else np.full(2, 4.0)
            assert not _covered(centres[i], sizes[i], points[j], marker), (i, j)
            if i != j:
                assert not _covered(centres[i], sizes[i], centres[j], sizes[j]), (i, j)


def test_a_lone_label_stands_at_the_right_of_its_point():
    (centre,) = place_labels(np.array([[200.0, 150.0]]), np.array([[40.0, 8.0]]), _BOUNDS, 3)
    assert centre[1] == pytest.approx(150)
    assert 220 < centre[0] < 230
    assert not needs_line(np.array([200.0, 150.0]), centre, np.array([40.0, 8.0]), 3)


def test_equal_points_and_no_points_have_places():
    points = np.full((4, 2), 150.0)
    centres = place_labels(points, np.tile([30.0, 8.0], (4, 1)), _BOUNDS)
    assert len(np.unique(centres, axis=0)) == 4
    assert place_labels(np.zeros((0, 2)), np.zeros((0, 2)), _BOUNDS).shape == (0, 2)
    assert np.array_equal(centres, place_labels(points, np.tile([30.0, 8.0], (4, 1)), _BOUNDS))


def test_marks_and_colours_differ():
    marks = {series_mark(index) for index in range(64)}
    assert len(marks) == 64
    assert group_mark("A") != group_mark("B")
    assert group_mark("A").marker != group_mark("B").marker
    assert group_mark("") == group_mark("")
    colours = category_colours(["part", "object", "zebra", "apple"])
    assert len(set(colours.values())) == 4
    assert list(colours) == ["part", "object", "zebra", "apple"]
