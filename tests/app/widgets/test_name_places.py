"""Where names go: against a check of every pair."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.name_places import place_names

BOUNDS = (0.0, 0.0, 400.0, 300.0)


def overlap(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(5, 395), st.floats(5, 295), st.floats(10, 90)), min_size=1, max_size=18
    )
)
def test_names_keep_clear_of_names_marks_and_edges(
    places: list[tuple[float, float, float]],
) -> None:
    x, y, width = (np.array(values) for values in zip(*places, strict=True))
    sizes = np.column_stack([width, np.full(len(x), 14.0)])
    taken = [(100.0, 100.0, 160.0, 120.0)]
    boxes = place_names(x, y, sizes, BOUNDS, 6.0, taken=taken)
    placed = np.flatnonzero(np.isfinite(boxes[:, 0])).tolist()
    for i in placed:
        box = boxes[i]
        assert np.allclose([box[2] - box[0], box[3] - box[1]], sizes[i])
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= 400
        assert box[3] <= 300
        assert not overlap(box, np.array(taken[0]))
        assert not any(overlap(box, boxes[j]) for j in placed if j != i)
        for j in range(len(x)):
            mark = np.array([x[j] - 6, y[j] - 6, x[j] + 6, y[j] + 6])
            assert j == i or not overlap(box, mark)


def test_a_lone_name_stands_right_of_its_point_and_left_at_the_edge() -> None:
    sizes = np.array([[60.0, 14.0]])
    middle = place_names(np.array([200.0]), np.array([150.0]), sizes, BOUNDS, 6.0)[0]
    assert middle[0] > 200
    assert (middle[1] + middle[3]) / 2 == 150
    edge = place_names(np.array([390.0]), np.array([150.0]), sizes, BOUNDS, 6.0)[0]
    assert edge[2] < 390


def test_a_name_without_room_is_left_out_and_the_first_are_served_first() -> None:
    x, y = np.array([20.0, 20.0]), np.array([10.0, 10.5])
    sizes = np.full((2, 2), (24.0, 12.0))
    narrow = (0.0, 0.0, 60.0, 20.0)
    for first in (0, 1):
        boxes = place_names(x, y, sizes, narrow, 3.0, first=(first,))
        assert np.isfinite(boxes[first]).all()
        assert np.isnan(boxes[1 - first]).all()


def test_names_further_than_allowed_are_left_out() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.uniform(190, 210, 12), generator.uniform(140, 160, 12)
    sizes = np.full((12, 2), (60.0, 14.0))
    far = place_names(x, y, sizes, BOUNDS, 6.0)
    near = place_names(x, y, sizes, BOUNDS, 6.0, farthest=12.0)
    assert np.isfinite(far[:, 0]).sum() > np.isfinite(near[:, 0]).sum() > 0


def test_no_names_are_no_boxes() -> None:
    none = np.zeros(0)
    assert place_names(none, none, np.zeros((0, 2)), BOUNDS, 6.0).shape == (0, 4)
