"""The concepts view: linked selection by ids, filters, empty and odd data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from analysis.figures.data import ConceptDetail, ConceptPoints
from app.views.concept_words import numbers_line, point_line, stability_words
from app.views.concepts_view import ConceptsView


@pytest.fixture
def points(make_points: Callable[..., ConceptPoints]) -> ConceptPoints:
    return make_points(120)


@pytest.fixture
def view(
    qtbot: QtBot,
    points: ConceptPoints,
    make_replacement: Callable,
    make_source: Callable,
) -> Iterator[ConceptsView]:
    view = ConceptsView()
    qtbot.addWidget(view)
    view.source = make_source()  # type: ignore[attr-defined]
    view.set_source(view.source)  # type: ignore[attr-defined]
    view.resize(1300, 820)
    view.show_points(points)
    view.show_replacement(make_replacement(points))
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    yield view
    view.set_source(None)


def pixel(view: ConceptsView, identity: int) -> QPoint:
    scatter = view.similarity.scatter
    place = scatter.points.place_of[identity]
    x, y = scatter.canvas.to_pixels(scatter.points.x[[place]], scatter.points.y[[place]])
    return QPoint(round(x[0]), round(y[0]))


def lonely(view: ConceptsView) -> int:
    """A concept whose point no other point covers."""
    scatter = view.similarity.scatter
    x, y = scatter.canvas.to_pixels(scatter.points.x, scatter.points.y)
    gaps = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    np.fill_diagonal(gaps, np.inf)
    return int(scatter.points.ids[np.argmax(gaps.min(axis=1))])


def test_click_in_the_scatter_tells_the_concept_and_marks_it_everywhere(
    qtbot: QtBot, view: ConceptsView
) -> None:
    concept = lonely(view)
    told: list[object] = []
    view.concept_selected.connect(told.append)
    view.selection_changed.connect(told.append)
    canvas = view.similarity.scatter.canvas
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=pixel(view, concept))
    assert told == [concept, frozenset({concept})]
    assert view.table.focus() == concept
    assert view.replacement.plots["kl"].focus() == concept
    assert view.replacement.plots["l2"].selection() == {concept}


def test_row_of_a_sorted_table_tells_its_concept(
    qtbot: QtBot, view: ConceptsView, points: ConceptPoints
) -> None:
    column = [c.key for c in view.table.model.columns].index("cmcs_pearson")
    view.table.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    least = int(points.concept_id[np.argmin(points.cmcs_pearson)])
    with qtbot.waitSignal(view.concept_selected) as caught:
        view.table.table.selectRow(0)
    assert caught.args == [least]
    assert view.similarity.scatter.focus() == least


def test_the_interval_of_the_focus_is_drawn(view: ConceptsView, points: ConceptPoints) -> None:
    view.set_concept(int(points.concept_id[4]))
    x, y = view.similarity.scatter.interval.getData()
    assert x.tolist() == [points.ci_low[4], points.ci_high[4]]
    assert y.tolist() == [points.importance[4]] * 2
    without = int(points.concept_id[-1])  # no importance, no place in the plot
    view.set_concept(without)
    assert view.table.focus() == without
    shown = view.similarity.scatter.interval.getData()[0]
    assert shown is None or len(shown) == 0


def test_setters_are_silent(qtbot: QtBot, view: ConceptsView, points: ConceptPoints) -> None:
    ids = points.concept_id.tolist()
    signals = (
        view.concept_selected,
        view.selection_changed,
        view.concept_hovered,
        view.thresholds_changed,
    )
    told: list[object] = []
    for signal in signals:
        signal.connect(lambda *args: told.append(args))
    view.set_concept(ids[3])
    view.set_selection(frozenset(ids[:9]))
    view.set_hover(ids[5])
    view.set_class("bird")
    view.set_class(None)
    view.set_thresholds(0.6, 0.4)
    view.show_points(points)
    assert told == []


def test_one_class_alone_and_back(view: ConceptsView, points: ConceptPoints) -> None:
    birds = set(points.concept_id[points.class_name == "bird"].tolist())
    view.set_class("bird")
    assert set(view.table.model.shown_ids()) == birds
    assert set(view.similarity.scatter.points.ids.tolist()) == birds
    assert set(view.replacement.plots["l2"].points.ids.tolist()) == birds
    view.set_class(None)
    assert view.table.model.rowCount() == len(points.concept_id)


def test_regions_count_their_concepts(view: ConceptsView, points: ConceptPoints) -> None:
    view.set_thresholds(0.55, 0.25)
    there = np.isfinite(points.importance)
    similar, important = points.cmcs_pearson >= 0.55, points.importance >= 0.25
    unique = frozenset(points.concept_id[there & ~similar & important].tolist())
    assert view.similarity.regions.ids_of(2) == unique
    assert f"· {len(unique)}" in view.similarity.regions._names[2].toPlainText()


def test_thresholds_by_typing_and_by_dragging_the_line(qtbot: QtBot, view: ConceptsView) -> None:
    with qtbot.waitSignal(view.thresholds_changed) as caught:
        view.similarity.similarity.stepUp()
    assert caught.args == [0.55, 0.3]
    canvas = view.similarity.scatter.canvas
    x, y = canvas.to_pixels(np.array([0.55, 0.72]), np.array([-0.05, -0.05]))
    start, end = (QPoint(round(a), round(b)) for a, b in zip(x, y, strict=True))
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=start)
    with qtbot.waitSignal(view.thresholds_changed) as caught:
        qtbot.mouseMove(canvas.viewport(), end)
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert caught.args[0] == pytest.approx(0.72, abs=0.01)
    assert view.similarity.similarity.value() == caught.args[0]


def test_hovering_a_row_rings_the_points(qtbot: QtBot, view: ConceptsView) -> None:
    concept = view.table.model.id_at(2)
    with qtbot.waitSignal(view.concept_hovered) as caught:
        place = view.table.table.visualRect(view.table.model.index(2, 1)).center()
        qtbot.mouseMove(view.table.table.viewport(), place)
        qtbot.mouseMove(view.table.table.viewport(), place + QPoint(2, 0))
    assert caught.args == [concept]
    assert len(view.similarity.scatter.hover_ring.data) == 1


def test_empty_view_offers_the_run(qtbot: QtBot, view: ConceptsView) -> None:
    view.show_points(None)
    view.show_replacement(None)
    view.show_detail(None)
    assert view.empty.isVisible()
    with qtbot.waitSignal(view.action_requested) as caught:
        view.empty.button.click()
    assert caught.args == ["run concepts"]
    view.grab()


def test_no_concepts_yet(view: ConceptsView, make_points: Callable) -> None:
    view.show_points(make_points(0))
    assert view.empty.isVisible()


def test_one_concept(
    qtbot: QtBot, view: ConceptsView, make_points: Callable, make_replacement: Callable
) -> None:
    one = make_points(1)
    view.show_points(one)
    view.show_replacement(make_replacement(one))
    view.grab()
    qtbot.keyClick(view.similarity.scatter.canvas, Qt.Key.Key_Right)
    assert view.table.focus() == int(one.concept_id[0])


def test_all_numbers_missing(
    view: ConceptsView, points: ConceptPoints, make_replacement: Callable
) -> None:
    arrays = {f.name: getattr(points, f.name) for f in dataclasses.fields(points)}
    numbers = [name for name, value in arrays.items() if isinstance(value, np.ndarray)]
    keep = {"concept_id", "side", "class_name", "concept"}
    nothing = np.full(len(points.concept_id), np.nan)
    blank = dataclasses.replace(points, **{n: nothing for n in numbers if n not in keep})
    view.show_points(blank)
    view.show_replacement(make_replacement(blank, heads=False))
    view.tabs.setCurrentIndex(1)
    view.grab()
    assert view.table.model.rowCount() == len(nothing)
    assert "120 concepts without importance" in view.similarity.note.text()
    assert "no classification head" in view.replacement.note.text()


def test_models_without_heads_keep_the_distance_alone(
    view: ConceptsView, points: ConceptPoints, make_replacement: Callable
) -> None:
    view.tabs.setCurrentIndex(1)
    view.show_replacement(make_replacement(points, heads=False))
    visible = {key: plot.isVisible() for key, plot in view.replacement.plots.items()}
    assert visible == {"l2": True, "kl": False, "match_accuracy": False}


def test_huge_names_do_not_widen_the_view(
    view: ConceptsView, points: ConceptPoints, make_detail: Callable
) -> None:
    long = "c" * 500
    view.show_points(
        dataclasses.replace(
            points, model_a="M" * 300, class_name=np.full(len(points.concept_id), long)
        )
    )
    view.show_detail(dataclasses.replace(make_detail(), class_name=long, target_model="M" * 300))
    view.grab()
    assert view.minimumSizeHint().width() < 1100


def test_twenty_thousand_concepts_selected_by_key(
    qtbot: QtBot, view: ConceptsView, make_points: Callable
) -> None:
    many = make_points(20_000)
    view.show_points(many)
    canvas = view.similarity.scatter.canvas
    with qtbot.waitSignal(view.selection_changed) as caught:
        qtbot.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(caught.args[0]) == 19_999  # all that have a place
    view.table.marked_only.setChecked(True)
    assert view.table.model.rowCount() == 19_999


def test_every_plot_has_a_name_a_keyboard_path_and_a_table(view: ConceptsView) -> None:
    plots = [view.similarity.scatter, view.concept.scatter, *view.replacement.plots.values()]
    names = [plot.canvas.accessibleName() for plot in plots]
    assert all(names)
    assert len(set(names)) == len(names)
    assert all(plot.canvas.focusPolicy() & Qt.FocusPolicy.TabFocus for plot in plots)
    assert view.similarity.copied is view.table
    assert view.replacement.table is not None
    assert view.concept.panel.table is not None


def test_words(make_points: Callable, make_detail: Callable[..., ConceptDetail]) -> None:
    points = make_points(4)
    assert "importance" in point_line(points, 0)
    assert point_line(points, 3).endswith("no importance (no classification head)")
    assert stability_words(float("nan")) == "stability unknown (one start only)"
    assert stability_words(0.95).startswith("stable (0.95")
    assert "read with care" in stability_words(0.3)
    line = numbers_line(dataclasses.replace(make_detail(), importance=float("nan")))
    assert "no classification head" in line
