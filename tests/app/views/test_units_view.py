"""The units view: linked selection by ids, filters that count at once, lazy details, odd data."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from analysis.figures.unit_data import (
    ThresholdSweep,
    UnitCandidate,
    UnitDetail,
    UnitPatch,
    UnitTable,
)
from app.theme import theme
from app.views.units_view import UnitsView

MODELS = ("Lite0", "Lite2", "ViT")
NAN = float("nan")


def units(per_model: int = 40, nulls: bool = True) -> UnitTable:
    """Three models; ids in no order. Every 4th unit knows wheel, the others sky or grass."""
    rng = np.random.default_rng(0)
    number = per_model * len(MODELS)
    place = np.arange(number) % per_model
    concept = np.array(["wheel", "sky", "grass", "wheel-t"])[place % 4]
    category = np.array(["object", "object", "object", "part"], dtype="U20")[place % 4]
    iou = 0.01 + 0.3 * rng.random(number)
    null = np.where(place % 5 == 0, 0.5, 0.03) if nulls else np.full(number, NAN)
    for odd, name in ((per_model - 1, "dead"), (per_model - 2, "not a number")):
        category[place == odd], concept[place == odd], iou[place == odd] = name, "", NAN
    beyond = np.isnan(null) | (iou > null)
    return UnitTable(
        run=4,
        quantile=0.01,
        iou_threshold=0.04,
        unit_id=(rng.permutation(number) + 700).astype(np.int64),
        model=np.repeat(np.array(MODELS), per_model),
        layer=np.full(number, "blocks.6" if nulls else "imported"),
        unit=place,
        concept=concept,
        category=category,
        iou=iou,
        null_iou=null,
        p=np.where(beyond, 0.01, 0.4) if nulls else np.full(number, NAN),
        interpretable=np.nan_to_num(iou) > 0.04,
        threshold=np.full(number, 1.5) if nulls else np.full(number, NAN),
        active_fraction=np.full(number, 0.0099) if nulls else np.full(number, NAN),
    )


def detail(table: UnitTable, unit: int, pictures: int = 4) -> UnitDetail:
    """What a project file says of one unit of the table."""
    row = int(np.flatnonzero(table.unit_id == unit)[0])
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:5, 3:6] = True
    patches = tuple(
        UnitPatch(
            unit * 10 + rank, rank, unit + rank, 30, 20, 30, 30, 5.0 - rank, mask, (0, 0, 80, 80)
        )
        for rank in range(pictures)
    )
    score = float(table.iou[row])
    return UnitDetail(
        unit_id=unit,
        run=table.run,
        model=str(table.model[row]),
        layer=str(table.layer[row]),
        unit=int(table.unit[row]),
        concept=str(table.concept[row]),
        category=str(table.category[row]),
        iou=score,
        null_iou=float(table.null_iou[row]),
        p=float(table.p[row]),
        interpretable=bool(table.interpretable[row]),
        threshold=float(table.threshold[row]),
        active_fraction=float(table.active_fraction[row]),
        candidates=(
            UnitCandidate(str(table.concept[row]), str(table.category[row]), score),
            UnitCandidate("fur", "material", score / 2),
        ),
        patches=patches,
    )


def sweep() -> ThresholdSweep:
    """Two quantiles of three models at five thresholds."""
    model, quantile, level = (
        part.ravel()
        for part in np.meshgrid(MODELS, [0.005, 0.01], np.arange(5) / 25, indexing="ij")
    )
    amounts = np.round(100 * np.exp(-20 * level) * (1 + quantile)).astype(int)
    return ThresholdSweep(
        4, model, np.full(len(model), "blocks.6"), quantile, level, amounts, amounts // 4
    )


@pytest.fixture
def table() -> UnitTable:
    return units()


@pytest.fixture
def view(qtbot: QtBot, table: UnitTable, make_source: Callable) -> Iterator[UnitsView]:
    view = UnitsView()
    qtbot.addWidget(view)
    source = make_source()
    view.set_source(source)
    view.resize(1200, 800)
    view.show_units(table)
    view.show_sweep(sweep())
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    yield view
    view.set_source(None)


def row_of(table: UnitTable, unit: int) -> int:
    return int(np.flatnonzero(table.unit_id == unit)[0])


def counted(table: UnitTable, threshold: float) -> np.ndarray:
    """Interpretable units, by a plain loop."""
    result = []
    for row in range(len(table.unit_id)):
        score, null = float(table.iou[row]), float(table.null_iou[row])
        beyond = np.isnan(null) or score > null
        named = table.category[row] not in ("dead", "failed threshold", "not a number")
        result.append(bool(named and score > threshold and beyond))
    return np.array(result)


def test_best_units_come_first_and_grid_follows_the_table(
    view: UnitsView, table: UnitTable
) -> None:
    shown = view.table.model.shown_ids()
    assert shown[0] == int(table.unit_id[np.nanargmax(table.iou)])
    assert [view.grid.grid_model.unit_at(row) for row in range(len(shown))] == shown
    view.table.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    shown = view.table.model.shown_ids()
    assert str(table.model[row_of(table, shown[0])]) == "ViT"
    assert [view.grid.grid_model.unit_at(row) for row in range(len(shown))] == shown


def test_search_says_which_units_of_which_models_know_it(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    told: list[str] = []
    view.search_changed.connect(told.append)
    qtbot.keyClicks(view.bar.search, "wheel")
    assert told[-1] == "wheel"
    known = counted(table, 0.04) & np.char.startswith(table.concept, "wheel")
    by_model = {m: int((known & (table.model == m)).sum()) for m in MODELS}
    ordered = sorted(by_model, key=lambda m: -by_model[m])
    named = ", ".join(f"{m} {by_model[m]}" for m in ordered)
    line = view.bar.found.text()
    assert line.startswith(f"wheel: {known.sum()} units in 3 models ({named})")
    assert "2 concepts: wheel " in line
    shown = view.table.model.shown_ids()
    assert {str(table.concept[row_of(table, u)]) for u in shown} == {"wheel", "wheel-t"}
    assert view.grid.grid_model.rowCount() == len(shown)


def test_search_for_what_nobody_knows(qtbot: QtBot, view: UnitsView) -> None:
    view.bar.search.setText("xyzzy")
    assert view.bar.found.text() == "“xyzzy”: no concept of this run is called like that"
    assert view.grid.grid_model.rowCount() == 0
    told: list[str] = []
    view.search_changed.connect(told.append)
    qtbot.mouseClick(view.units.empty.button, Qt.MouseButton.LeftButton)
    assert told == [""]
    assert view.grid.grid_model.rowCount() == 120


def test_threshold_counts_again_at_once(view: UnitsView, table: UnitTable) -> None:
    view.bar.slider.setValue(150)
    expected = counted(table, 0.15)
    assert view.bar.counts.text().startswith(f"{expected.sum()} of 120 units interpretable")
    parts = int((expected & (table.category == "part")).sum())
    assert view.bar.chips["part"].text() == f"part {parts}"
    values = view.table.model.columns[-1].values
    assert (values == "yes").tolist() == expected.tolist()
    assert view.sweep.marker.value() == pytest.approx(0.15)
    view.bar.interpretable_only.setChecked(True)
    assert set(view.table.model.shown_ids()) == set(table.unit_id[expected].tolist())
    view.bar.threshold.setValue(0.2)
    assert set(view.table.model.shown_ids()) == set(table.unit_id[counted(table, 0.2)].tolist())
    view.bar.back.click()
    assert view.bar.iou_threshold() == 0.04


def test_threshold_of_the_run_is_not_rounded(view: UnitsView, table: UnitTable) -> None:
    between = dataclasses.replace(table, run=9, iou_threshold=0.04251)
    view.show_units(between)
    assert view.bar.iou_threshold() == 0.04251


def test_new_results_of_the_run_leave_the_threshold_alone(
    view: UnitsView, table: UnitTable
) -> None:
    view.bar.threshold.setValue(0.1)
    view.show_units(units(50))
    assert view.bar.iou_threshold() == pytest.approx(0.1)
    view.show_units(dataclasses.replace(table, run=5))
    assert view.bar.iou_threshold() == 0.04


def test_chips_show_categories_alone_even_the_dead(view: UnitsView, table: UnitTable) -> None:
    view.bar.chips["dead"].click()
    assert set(view.table.model.shown_ids()) == set(
        table.unit_id[table.category == "dead"].tolist()
    )
    view.bar.chips["part"].click()
    wanted = np.isin(table.category, ["dead", "part"])
    assert set(view.table.model.shown_ids()) == set(table.unit_id[wanted].tolist())
    assert view.bar.chips["dead"].text() == "dead 3"
    assert view.bar.chips["not a number"].text() == "not a number 3"


def test_selected_models_hide_the_others_until_the_box_is_empty(
    view: UnitsView, table: UnitTable
) -> None:
    view.set_models(("Lite2",))
    assert set(view.table.model.shown_ids()) == set(table.unit_id[table.model == "Lite2"].tolist())
    view.bar.selected_only.setChecked(False)
    assert len(view.table.model.shown_ids()) == 120
    view.bar.selected_only.setChecked(True)
    view.set_models(("a model of another run",))
    assert len(view.table.model.shown_ids()) == 120


def test_two_selected_models_are_one_click_from_their_comparison(
    qtbot: QtBot, view: UnitsView
) -> None:
    chosen: list[tuple[str, ...]] = []
    view.models_selected.connect(chosen.append)
    rows = {view.models.twin.model.id_at(row): row for row in range(3)}
    models = view.models.twin.table
    models.selectRow(rows["ViT"])
    selection = models.selectionModel()
    both = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
    selection.select(view.models.twin.model.index(rows["Lite0"], 0), both)
    assert chosen == [("ViT",), ("ViT", "Lite0")]
    with qtbot.waitSignal(view.compare_requested) as caught:
        qtbot.mouseClick(view.bar.compare, Qt.MouseButton.LeftButton)
    assert caught.args == ["ViT", "Lite0"]
    qtbot.mouseClick(view.models.every, Qt.MouseButton.LeftButton)
    assert chosen[-1] == ()
    assert not view.bar.compare.isVisible()


def test_setters_are_silent(qtbot: QtBot, view: UnitsView, table: UnitTable) -> None:
    told: list[object] = []
    for signal in (
        view.unit_focused, view.units_selected, view.models_selected, view.search_changed,
        view.patch_activated, view.compare_requested,
    ):  # fmt: skip
        signal.connect(lambda *values: told.append(values))
    unit = int(table.unit_id[7])
    view.set_unit(unit)
    view.set_models(("Lite0", "ViT"))
    view.set_search("sky")
    view.set_selection(frozenset({unit, 999_999}))
    view.show_detail(detail(table, unit))
    view.show_units(table)
    view.show_units(None)
    view.set_unit(None)
    assert told == []


def test_walking_the_table_focuses_units_by_id(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    told: list[int] = []
    view.unit_focused.connect(told.append)
    shown = view.table.model.shown_ids()
    view.set_unit(shown[0])
    qtbot.keyClick(view.table.table, Qt.Key.Key_Down)
    assert told == [shown[1]]
    assert view.grid.focus() == shown[1]
    qtbot.keyClick(view.grid, Qt.Key.Key_Down)
    assert told == [shown[1], shown[2]]
    assert view.table.focus() == shown[2]


def test_focus_stays_with_its_unit_when_filters_hide_and_show_it(
    view: UnitsView, table: UnitTable
) -> None:
    unit = int(table.unit_id[np.flatnonzero(table.concept == "sky")[3]])
    view.set_unit(unit)
    view.bar.search.setText("grass")
    assert view.grid.focus() is None
    view.bar.search.setText("")
    assert view.grid.focus() == unit
    assert view.table.focus() == unit


def test_pictures_are_asked_for_once_for_units_in_view(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    asked: list[tuple[int, ...]] = []
    view.pictures_needed.connect(asked.append)
    view.bar.search.setText("grass")
    qtbot.waitUntil(lambda: len(asked) == 1)
    shown = view.table.model.shown_ids()
    seen = list(view.grid.visible_rows())
    assert asked[0][: len(seen)] == tuple(shown[row] for row in seen)
    assert len(asked[0]) <= 2 * len(seen)
    view.show_details({unit: detail(table, unit) for unit in asked[0]})
    view.grid.verticalScrollBar().setValue(view.grid.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert not set(asked[1]) & set(asked[0])
    assert shown[-1] in asked[1]


def test_arrows_reach_images_and_enter_opens_them(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    view.opens_patches = False
    unit = view.table.model.shown_ids()[0]
    view.show_details({unit: detail(table, unit)})
    view.set_unit(unit)
    opened: list[tuple[int, int]] = []
    view.patch_activated.connect(lambda patch, image: opened.append((patch, image)))
    for _ in range(2):
        qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert opened == [(unit * 10 + 1, unit + 1)]
    qtbot.keyClick(view.table.table, Qt.Key.Key_Return)
    assert opened[-1] == (unit * 10, unit)


def test_large_view_walks_through_the_units_images_with_masks(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    unit = view.table.model.shown_ids()[3]
    view.show_details({unit: detail(table, unit)})
    view.open_large_view(unit * 10 + 2, unit + 2)
    dialog = view._dialog
    assert dialog is not None
    assert (dialog.at, len(dialog.patches)) == (2, 4)
    assert dialog.patches[2].mask is not None
    assert dialog.patches[2].box is None
    view.modes.button(1).click()
    view.open_large_view(unit * 10 + 2, unit + 2)
    assert dialog.patches[2].mask is None
    assert dialog.patches[2].box == (30, 20, 30, 30)
    dialog.close()


def test_detail_says_what_one_may_say(view: UnitsView, table: UnitTable) -> None:
    known = counted(table, 0.04)
    unit = int(table.unit_id[np.flatnonzero(known)[0]])
    view.show_detail(detail(table, unit))
    assert "stands for “" in view.panel.sentence.text()
    assert view.panel.grid.grid_model.rowCount() == 4
    assert view.panel.candidates.candidates.rowCount() == 2
    by_chance = int(table.unit_id[np.flatnonzero(table.null_iou > table.iou)[0]])
    view.show_detail(detail(table, by_chance))
    assert "no better than chance" in view.panel.sentence.text()
    view.show_detail(detail(table, unit))
    view.bar.threshold.setValue(0.9)
    assert "not well enough" in view.panel.sentence.text()
    dead = int(table.unit_id[np.flatnonzero(table.category == "dead")[0]])
    nobody = dataclasses.replace(detail(table, dead, pictures=0), candidates=())
    view.show_detail(nobody)
    assert view.panel.sentence.text().endswith("is dead: no image activates it.")
    assert view.panel.no_images.text() == "No image activates this unit."


def test_candidate_asks_which_units_know_it(
    qtbot: QtBot, view: UnitsView, table: UnitTable
) -> None:
    unit = int(table.unit_id[0])
    view.show_detail(detail(table, unit))
    candidates = view.panel.candidates
    candidates.setCurrentIndex(candidates.candidates.index(1, 0))
    with qtbot.waitSignal(view.search_changed) as caught:
        qtbot.keyClick(candidates, Qt.Key.Key_Return)
    assert caught.args == ["fur"]


def test_imported_units_say_that_they_have_no_images(
    qtbot: QtBot, view: UnitsView, make_source: Callable
) -> None:
    imported = dataclasses.replace(units(nulls=False), run=8)
    view.show_units(imported)
    known = counted(imported, 0.04)
    assert view.bar.counts.text().startswith(f"{known.sum()} of 120")
    shown = view.table.model.shown_ids()
    view.show_details({unit: detail(imported, unit, pictures=0) for unit in shown[:6]})
    model = view.grid.grid_model
    text = model.data(model.index(0, 1), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "imported from a table: no images are known"
    view.show_detail(detail(imported, shown[0], pictures=0))
    assert "comes from a table" in view.panel.no_images.text()
    assert "chance" not in view.panel.sentence.text()
    assert view.panel.numbers.text() == ""
    view.grab()


def test_units_without_an_image_in_the_slice_say_so(
    view: UnitsView, table: UnitTable, make_source: Callable
) -> None:
    shown = view.table.model.shown_ids()
    none = dataclasses.replace(
        detail(table, shown[0], pictures=0), slice_name="boats", images_known=9
    )
    view.show_details({shown[0]: none})
    model = view.grid.grid_model
    text = model.data(model.index(0, 1), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "none of its 9 images is in the slice"


def test_dragged_line_of_the_sweep_moves_the_threshold(view: UnitsView, table: UnitTable) -> None:
    view.sweep.scatter.canvas.line_dragged.emit(view.sweep.marker, 0.1204)
    assert view.bar.iou_threshold() == pytest.approx(0.12)
    assert view.bar.counts.text().startswith(f"{counted(table, 0.12).sum()} of")


def test_sweep_has_a_line_for_each_model_and_quantile_and_a_table_twin(
    view: UnitsView,
) -> None:
    view.tabs.setCurrentIndex(1)
    view.grab()
    assert len(view.sweep._lines) == 6
    assert view.sweep.twin.model.rowCount() == 30
    view.sweep.twin.row_focused.emit(12)
    assert view.sweep.scatter.focus() == 12
    assert "above IoU 0.080" in view.sweep.scatter.describe(12)
    view.set_models(("ViT",))
    assert view.sweep._loud(sweep()) == {"ViT"}


def test_select_all_survives_a_change_of_order(qtbot: QtBot, table: UnitTable) -> None:
    view = UnitsView()
    qtbot.addWidget(view)
    many = units(400)
    view.show_units(many)
    told: list[frozenset[int]] = []
    view.units_selected.connect(told.append)
    view.table.table.selectAll()
    assert told[-1] == frozenset(many.unit_id.tolist())
    view.table.table.sortByColumn(5, Qt.SortOrder.AscendingOrder)
    assert len(told) == 1
    assert view.table.model._marked == told[0]


def test_exports_name_their_figures(qtbot: QtBot, view: UnitsView) -> None:
    told: list[tuple[str, str]] = []
    view.export_requested.connect(lambda figure, form: told.append((figure, form)))
    for panel in (view.units, view.sweep):
        next(a for a in panel.menu.actions() if a.data() == "csv").trigger()
    assert told == [("units", "csv"), ("threshold-sweep", "csv")]


def test_empty_view_leads_to_a_dissection(qtbot: QtBot) -> None:
    view = UnitsView()
    qtbot.addWidget(view)
    view.show_sweep(None)
    view.set_models(("Lite0", "ViT"))
    view.set_unit(5)
    with qtbot.waitSignal(view.action_requested) as caught:
        view.empty.button.click()
    assert caught.args == ["run dissection"]


def test_one_unit_with_nothing(qtbot: QtBot, view: UnitsView, table: UnitTable) -> None:
    nothing = {
        f.name: getattr(table, f.name)[:1]
        for f in dataclasses.fields(table)
        if isinstance(getattr(table, f.name), np.ndarray)
    }
    only = dataclasses.replace(table, run=11, **nothing)
    only = dataclasses.replace(
        only, iou=np.array([NAN]), concept=np.array([""]), category=np.array([""])
    )
    view.show_units(only)
    view.bar.search.setText("a")
    assert view.bar.counts.text() == "0 of 1 unit interpretable, 0 concepts"
    view.bar.search.setText("")
    assert list(view.bar.chips) == ["no concept"]
    view.grab()


def test_all_controls_can_be_named(view: UnitsView) -> None:
    kinds = (QAbstractButton, QLineEdit, QComboBox)
    nameless = [
        part
        for kind in kinds
        for part in view.findChildren(kind)
        if part.isVisible()
        and not (part.accessibleName() or getattr(part, "text", str)())
        and not part.objectName().startswith("qt_")
    ]
    assert nameless == []
    model = view.grid.grid_model
    text = model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert "IoU" in str(text)


def test_destroyed_view_leaves_nothing_behind(
    qtbot: QtBot, table: UnitTable, make_source: Callable
) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    source = make_source(later=True)
    unit = int(table.unit_id[0])

    def open_and_close() -> None:
        view = UnitsView()
        view.set_source(source)
        view.show_units(table)
        view.show_sweep(sweep())
        view.tabs.setCurrentIndex(1)
        view.show_detail(detail(table, unit))
        view.show()
        view.open_large_view(unit * 10, unit)
        view.grab()
        view.close()
        view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
        assert not shiboken6.isValid(view)

    for _ in range(2):
        open_and_close()
    gc.collect()
    assert [w for w in QApplication.allWidgets() if w not in before] == []
    source.ready.emit(unit)
    theme().changed.emit()
    QApplication.processEvents()
