"""The performance surface beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from analysis.embedding.surface import performance_surface, surface_grid
from analysis.errors import AuditError


@pytest.mark.parametrize("neighbours", [1, 5])
def test_surface_is_that_of_scikit_learn(neighbours: int) -> None:
    generator = np.random.default_rng(0)
    points, performance = generator.normal(size=(13, 2)), generator.uniform(size=13)
    performance[4] = np.nan
    x, y = surface_grid(points, steps=17)
    found = performance_surface(points, performance, x, y[:9], neighbours)
    kept = ~np.isnan(performance)
    theirs = KNeighborsRegressor(neighbours).fit(points[kept], performance[kept])
    grid = np.stack(np.meshgrid(x, y[:9]), -1).reshape(-1, 2)
    np.testing.assert_allclose(found, theirs.predict(grid).reshape(9, 17))


def test_grid_holds_all_models() -> None:
    points = np.array([[0.0, 2.0], [4.0, 2.0], [1.0, 2.0]])
    x, y = surface_grid(points, steps=5, margin=0.25)
    assert x.tolist() == [-1.0, 0.5, 2.0, 3.5, 5.0]
    assert y[0] < 2.0 < y[-1]
    single, _ = surface_grid(points[:1], steps=3)
    assert (np.diff(single) > 0).all()


def test_fewer_models_than_neighbours() -> None:
    surface = performance_surface(np.eye(2), np.array([1.0, 3.0]), np.arange(3.0), np.arange(2.0))
    assert surface.tolist() == [[2.0] * 3] * 2


def test_no_surface() -> None:
    with pytest.raises(AuditError, match="No model of this embedding has a performance"):
        performance_surface(np.eye(2), np.full(2, np.nan), np.arange(2.0), np.arange(2.0))
    with pytest.raises(AuditError, match="at least one neighbour"):
        performance_surface(np.eye(2), np.ones(2), np.arange(2.0), np.arange(2.0), 0)
