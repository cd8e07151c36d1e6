"""Rows and columns of the grid of maps, their heads, and what is said of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.figures.saliency_data import Cell
from app.views.saliency_layout import (
    ARRANGEMENTS,
    METHODS_IMAGES,
    MODELS_IMAGES,
    MODELS_METHODS,
    Chosen,
    GridPlan,
    Places,
    first_choice,
    kept_choice,
)
from app.views.saliency_metric_columns import metric_columns, rows_of_method, rows_of_model
from app.views.saliency_words import cell_hint, left_out_line, percent, short_class, short_names
from tests.app.views import made_saliency as made

LITE0, LITE2, VIT = made.MODELS


def places(images: int = 6) -> Places:
    return Places(made.index(images))


def plan(arrangement: str, model: str = LITE0, method: str = "gradcam") -> GridPlan:
    return GridPlan(places(), arrangement, Chosen(46, model, method))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_cells_and_places_agree(arrangement: str) -> None:
    laid = plan(arrangement)
    for row in range(len(laid.rows)):
        for column in range(len(laid.columns)):
            cell = laid.cell(row, column)
            assert cell is not None
            assert laid.places.knows(cell)
            assert laid.place(cell) == (row, column)
    assert laid.cell(0, len(laid.columns)) is None
    assert laid.cell(-1, 0) is None


def test_what_is_not_in_the_grid_is_held() -> None:
    assert plan(MODELS_IMAGES, method="sobel").cell(1, 2) == Cell(46, LITE2, "sobel")
    assert plan(METHODS_IMAGES, VIT).cell(5, 0) == Cell(40, VIT, "rollout")
    assert plan(MODELS_METHODS).cell(2, 3) == Cell(46, VIT, "scorecam")
    assert plan(MODELS_IMAGES).place(Cell(46, LITE0, "sobel")) is None


def test_methods_that_a_model_refuses_take_no_row() -> None:
    laid = plan(METHODS_IMAGES, LITE0)
    assert laid.left_out == ("raw", "rollout", "tibav")
    assert len(laid.rows) == 7
    assert plan(METHODS_IMAGES, VIT).left_out == ()
    line = left_out_line(laid.places, LITE0, laid.left_out)
    assert line.startswith("Raw attention, Rollout, TIBAV do not apply to EfficientNet-Lite0")


def test_a_method_not_computed_yet_keeps_its_row() -> None:
    index = made.index(4)
    nothing = dataclasses.replace(index, available=np.zeros_like(index.available))
    laid = GridPlan(Places(nothing), METHODS_IMAGES, Chosen(40, VIT, "gradcam"))
    assert len(laid.rows) == len(made.METHODS)


def test_heads() -> None:
    head = plan(METHODS_IMAGES).row_head(0)
    assert (head.title, head.second, head.chance) == ("GradCAM", "conv_head", False)
    null = plan(METHODS_IMAGES).row_head(6)
    assert (null.title, null.second, null.chance) == ("Sobel edges", "chance", True)
    column = plan(MODELS_IMAGES).column_head(1)
    assert (column.title, column.second) == ("image_0001.jpg", "mammal")
    assert column.hint == "mammal/image_0001.jpg\nlabel mammal"
    assert plan(MODELS_METHODS).row_head(2).second == "blocks.11.norm1"


def test_reasons_of_missing_maps() -> None:
    known = places()
    assert known.reason(Cell(40, LITE0, "raw")) == made.REASON
    assert known.reason(Cell(55, VIT, "raw")) == "not computed"
    assert cell_hint(known, Cell(40, LITE0, "raw"), None).endswith(f"No map: {made.REASON}")


def test_hint_of_a_map_says_all_that_is_known() -> None:
    cell = Cell(40, LITE0, "xgradcam")
    found = dataclasses.replace(made.saliency_map(cell), tied=0.004)
    hint = cell_hint(places(), cell, found)
    for part in (LITE0, "XGradCAM", "Siberian husky", "conv_head", "0.4 %", "the gradient is zero"):
        assert part in hint
    null = made.saliency_map(Cell(40, LITE0, "random"))
    assert "the class makes no difference" in cell_hint(places(), null.cell, null)
    assert short_class(null) == ""


def test_choices_are_kept_where_they_exist() -> None:
    known = places()
    assert first_choice(known) == Chosen(40, LITE0, "gradcam")
    assert kept_choice(known, Chosen(43, "gone", "rollout")) == Chosen(43, LITE0, "rollout")
    assert kept_choice(known, Chosen(7, VIT, "gone")) == Chosen(40, VIT, "gradcam")


def test_an_unknown_arrangement_is_refused() -> None:
    with pytest.raises(ValueError, match="images × images"):
        plan("images × images")


def test_names_leave_out_what_all_share() -> None:
    cells = [Cell(40, VIT, "raw"), Cell(40, VIT, "rollout")]
    assert short_names(places(), cells) == ["Raw attention", "Rollout"]
    assert short_names(places(), cells[:1]) == [f"{VIT} · Raw attention"]


def test_percent() -> None:
    assert [percent(x) for x in (0.0, 0.3, 0.004, float("nan"))] == [
        "0 %",
        "30 %",
        "0.4 %",
        "unknown",
    ]


def test_rows_of_the_table_have_null_maps_last_and_leave_out_what_has_no_number() -> None:
    summary = made.summary()
    rows = rows_of_model(summary, LITE0)
    assert [label for _, label in rows] == [
        "gradcam", "gradcam++", "xgradcam", "scorecam", "random", "gaussian", "sobel",
    ]  # fmt: skip
    assert rows_of_method(summary, "rollout") == [(VIT, "rollout")]
    columns = metric_columns(summary, rows)
    assert [column.title for column in columns[:3]] == [
        "Average drop ↓", "Average increase ↑", "Insertion ↑",
    ]  # fmt: skip
    assert columns[0].values[0] == summary.mean[0, 0, 0]
    assert columns[2].values[3] == summary.mean[2, 0, 3]
    assert "Lower is better" in columns[0].hint
    assert columns[-1].values[-1] == pytest.approx(30.0)
