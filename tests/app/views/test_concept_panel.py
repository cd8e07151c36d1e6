"""One concept: its points and its patches stay linked by id."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from analysis.figures.data import ConceptDetail
from app.theme import PATCH_KINDS
from app.views.concept_panel import ConceptPanel
from app.views.concepts_view import ConceptsView
from app.views.image_canvas import original_size
from app.views.patch_dialog import PatchDialog, ShownPatch

Make = Callable[..., ConceptDetail]


@pytest.fixture
def source(make_source: Callable) -> object:
    return make_source()


@pytest.fixture
def panel(qtbot: QtBot, make_detail: Make, source: object) -> Iterator[ConceptPanel]:
    panel = ConceptPanel()
    qtbot.addWidget(panel)
    panel.set_source(source)  # type: ignore[arg-type]
    panel.resize(620, 820)
    panel.show_detail(make_detail())
    with qtbot.waitExposed(panel):
        panel.show()
    panel.grab()
    yield panel
    panel.set_source(None)


def test_three_sets_with_word_sign_count_and_colour(panel: ConceptPanel) -> None:
    for key, patch_set in panel.sets.items():
        kind = PATCH_KINDS[key]
        assert patch_set.word.text() == kind.word
        assert patch_set.count.text() == f"10 · {kind.meaning}"
        shown = patch_set.grid.grid_model.items
        assert len(shown) == 10
        assert {item.outline for item in shown} == {kind.colour}
        assert shown[0].caption.startswith(f"{kind.sign} {kind.word} 1 · image ")


def test_patches_are_coloured_in_the_plot(panel: ConceptPanel) -> None:
    detail, points = panel.detail, panel.scatter.points
    assert detail is not None
    for number, patches in enumerate((detail.top, detail.over, detail.under), start=1):
        drawn = {(float(x), float(y)) for x, y in zip(points.x, points.y, strict=True)}
        assert {(p.coefficient, p.predicted) for p in patches} <= drawn
        assert 0 < int((points.group == number).sum()) <= 10
    assert panel.scatter.identity.isVisible()


def test_walking_a_grid_moves_the_ring_in_the_plot(qtbot: QtBot, panel: ConceptPanel) -> None:
    grid = panel.sets["over"].grid
    grid.set_focus(grid.grid_model.items[0].identity)
    with qtbot.waitSignal(panel.patch_focused) as caught:
        qtbot.keyClick(grid, Qt.Key.Key_Right)
    item = grid.grid_model.items[1]
    assert caught.args == [item.identity, item.image]
    point = panel.scatter.focus()
    assert panel.detail is not None
    assert int(panel.detail.image[point]) == item.image
    assert panel.detail.box[point].tolist() == list(item.box or ())


def test_a_point_of_a_set_moves_the_focus_of_its_grid(qtbot: QtBot, panel: ConceptPanel) -> None:
    item = panel.sets["under"].grid.grid_model.items[3]
    panel.scatter.point_focused.emit(panel._point_of_patch[item.identity])
    assert panel.sets["under"].grid.focus() == item.identity


def test_a_point_of_no_set_tells_its_image_alone(qtbot: QtBot, panel: ConceptPanel) -> None:
    assert panel.detail is not None
    point = next(i for i in range(len(panel.detail.real)) if i not in panel._patch_of_point)
    with qtbot.waitSignal(panel.patch_activated) as caught:
        panel.scatter.point_activated.emit(point)
    assert caught.args == [-1, int(panel.detail.image[point])]


def test_empty_sets_and_no_points(panel: ConceptPanel, make_detail: Make) -> None:
    nothing = np.zeros(0)
    panel.show_detail(
        dataclasses.replace(
            make_detail(),
            real=nothing,
            predicted=nothing,
            image=nothing.astype(np.int64),
            box=np.zeros((0, 4), int),
            under=(),
        )
    )
    panel.grab()
    assert panel.sets["under"].count.text() == "none was found"
    assert panel.panel.empty.isVisible()
    panel.show_detail(None)
    panel.grab()
    assert not panel.name.isVisible()


def test_missing_numbers_are_said_in_words(panel: ConceptPanel, make_detail: Make) -> None:
    nan = float("nan")
    blank = dict.fromkeys(("cmcs_pearson", "ci_low", "ci_high", "null_95", "importance"), nan)
    panel.show_detail(dataclasses.replace(make_detail(), stability=nan, smcs_pearson=nan, **blank))
    text = panel.sentence.text() + panel.numbers.text()
    assert "nan" not in text.casefold()
    assert "could not be compared" in text


def test_space_opens_the_large_view_and_arrows_walk(
    qtbot: QtBot, make_detail: Make, make_points: Callable, source: object
) -> None:
    view = ConceptsView()
    qtbot.addWidget(view)
    view.set_source(source)  # type: ignore[arg-type]
    view.show_points(make_points(4))
    view.show_detail(make_detail())
    view.show()
    grid = view.concept.sets["top"].grid
    first, second = grid.grid_model.items[:2]
    grid.set_focus(first.identity)
    with qtbot.waitSignal(view.patch_activated) as caught:
        qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert caught.args == [first.identity, first.image]
    dialog = view._dialog
    assert dialog is not None
    assert dialog.isVisible()
    assert dialog.place.text() == "1 of 10"
    with qtbot.waitSignal(view.patch_focused) as caught:
        qtbot.keyClick(dialog, Qt.Key.Key_Right)
    assert caught.args == [second.identity, second.image]
    assert grid.focus() == second.identity
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    view.set_source(None)


def test_the_outline_lies_on_the_patch_of_the_original(
    qtbot: QtBot, source: object, tmp_path: Path
) -> None:
    file = tmp_path / "wide.png"
    image = QImage(800, 400, QImage.Format.Format_RGB32)
    image.fill(0)
    image.save(str(file))
    source.files[5] = file  # type: ignore[attr-defined]
    assert original_size(source, 5) == QSize(800, 400)  # type: ignore[arg-type]
    dialog = PatchDialog()
    qtbot.addWidget(dialog)
    dialog.set_source(source)  # type: ignore[arg-type]
    dialog.resize(640, 500)
    dialog.show()
    dialog.show_patches([ShownPatch(1, 5, (400, 100, 200, 200), "patch", "#E69F00")])
    whole, box = dialog.canvas._place(), dialog.canvas.box_on_screen()
    assert box is not None
    assert box.left() == pytest.approx(whole.center().x())
    assert box.width() == pytest.approx(whole.width() / 4)
    assert box.height() == pytest.approx(whole.height() / 2)
    assert dialog.windowTitle() == "wide.png"
    qtbot.keyClick(dialog, Qt.Key.Key_Plus)
    assert dialog.canvas.zoom > 1
    assert dialog.canvas.box_on_screen().width() > box.width()  # type: ignore[union-attr]
    qtbot.keyClick(dialog, Qt.Key.Key_0)
    assert dialog.canvas.box_on_screen() == box
    dialog.set_source(None)


def test_an_image_that_is_gone_says_so(qtbot: QtBot, make_source: Callable) -> None:
    source = make_source(later=True)
    dialog = PatchDialog()
    qtbot.addWidget(dialog)
    dialog.set_source(source)
    dialog.show_patches([ShownPatch(-1, 3, None, "Image 3", "#FFFFFF")])
    dialog.show()
    waiting = dialog.canvas.grab().toImage()
    source.ready.emit(3)
    assert dialog.canvas.grab().toImage() != waiting
    dialog.set_source(None)
