"""Picking in scatter plots, on arrays alone."""

from __future__ import annotations

import numpy as np

from app.widgets.density import density_image
from app.widgets.scatter_data import Points, ScatterData, inside_polygon, nearest, neighbour


def test_points_without_a_number_are_left_out_and_ids_kept() -> None:
    data = ScatterData(
        ids=np.array([9, 8, 7]),
        x=np.array([0.0, np.nan, 2.0]),
        y=np.array([1.0, 1.0, 3.0]),
        x_title="",
        y_title="",
        group=np.array([1, 0, 0]),
    )
    points = Points.of(data)
    assert points.ids.tolist() == [7, 9]  # the later group is drawn last
    assert points.left_out == 1
    assert points.place_of == {7: 0, 9: 1}


def test_nearest_point_within_reach() -> None:
    x, y = np.array([0.0, 10.0, 10.0]), np.array([0.0, 0.0, 0.0])
    assert nearest(x, y, (1, 1), 5) == 0
    assert nearest(x, y, (9, 0), 5) == 2  # of two in one place, the one on top
    assert nearest(x, y, (5, 40), 5) is None
    assert nearest(np.zeros(0), np.zeros(0), (0, 0), 5) is None


def test_walking_goes_to_the_nearest_point_in_the_direction() -> None:
    x, y = np.array([0.0, 5.0, 2.0, -3.0]), np.array([0.0, 1.0, 9.0, 0.0])
    assert neighbour(x, y, 0, (1, 0)) == 1
    assert neighbour(x, y, 0, (0, 1)) == 2
    assert neighbour(x, y, 0, (-1, 0)) == 3
    assert neighbour(x, y, 1, (1, 0)) is None


def test_lasso_that_is_not_convex() -> None:
    corners = np.array([[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]])
    x, y = np.array([1.0, 5.0, 5.0, 11.0]), np.array([2.0, 1.0, 8.0, 5.0])
    assert inside_polygon(x, y, corners).tolist() == [True, True, False, False]
    assert not inside_polygon(x, y, corners[:2]).any()


def test_density_image_counts_every_point_in_its_pixel() -> None:
    x, y = np.array([0.1, 0.1, 0.9, np.nan]), np.array([0.1, 0.1, 0.9, 0.5])
    image = density_image(x, y, (0, 1, 0, 1), (2, 2))
    assert np.allclose(np.expm1(image), [[2, 0], [0, 1]])
