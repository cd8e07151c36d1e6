"""The saliency view as a whole, and with a picture outside of any run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider, QTableView
from pytestqt.qtbot import QtBot

from analysis.figures.saliency_data import OUTSIDE, Cell
from app.theme import theme
from app.views.saliency_layout import MODELS_IMAGES, MODELS_METHODS
from app.views.saliency_view import SaliencyView
from tests.app.views import made_saliency as made
from tests.app.views.saliency.steps import FIRST, LITE0, LITE2, VIT, Heard, click, shown

# -- a picture outside of any run


def test_an_explanation_is_shown_at_once_and_gone_back_from(
    qtbot: QtBot, view: SaliencyView
) -> None:
    heard = shown(qtbot, view)
    cell = Cell(FIRST + 3, LITE2, "gradcam")
    click(qtbot, view, cell)
    heard.told.clear()
    view.show_explanation(made.explanation())
    assert view.bar.banner.isVisible()
    assert view.bar.banner_text.text().startswith("holiday.jpg, not part of a run: 10 methods")
    assert "its weights are not there" in view.bar.problems.text()
    assert view.arrangement() == MODELS_METHODS
    assert [c.image for c in view.selection()] == [OUTSIDE, OUTSIDE]
    assert view.tabs.pair.sides[1].canvas.picture is not None
    assert not view.tabs.isTabVisible(1)
    click(qtbot, view, Cell(OUTSIDE, VIT, "rollout"))
    view.tabs.show_tab("attention")
    assert view.tabs.attention.shown is not None
    assert heard.told == []
    view.bar.back.click()
    assert heard.all("back_requested") == [None]
    assert view.arrangement() == MODELS_IMAGES
    assert view.selection() == (cell,)
    assert view.chosen().image == FIRST + 3
    assert not view.bar.banner.isVisible()
    qtbot.waitUntil(lambda: bool(heard.all("maps_needed")))


def test_an_image_chosen_elsewhere_meanwhile_is_in_focus_afterwards(view: SaliencyView) -> None:
    view.show_explanation(made.explanation())
    view.set_image(FIRST + 6)
    assert view.chosen().image == OUTSIDE
    view.show_explanation(None)
    assert view.chosen().image == FIRST + 6


def test_an_explained_picture_of_the_project_is_no_map_of_the_run(
    qtbot: QtBot, view: SaliencyView
) -> None:
    shown(qtbot, view)
    cell = Cell(FIRST, LITE0, "gradcam")
    mine = dataclasses.replace(made.saliency_map(cell), class_name="other class")
    one = made.explanation()
    index = dataclasses.replace(one.index, images=np.array([FIRST]))
    view.show_explanation(dataclasses.replace(one, index=index, maps=(mine,)))
    found = view.grid.grid_model.maps.get(cell)
    assert found is not None
    assert found.class_name == "other class"
    view.show_explanation(None)
    assert view.grid.grid_model.maps.get(cell) is None


def test_an_explanation_needs_no_run(qtbot: QtBot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    view.show_explanation(made.explanation())
    assert view.stack.currentIndex() == 1
    view.show_index(None)
    assert view.stack.currentIndex() == 1
    view.show_explanation(None)
    assert view.stack.currentIndex() == 0


# -- all together


def test_exports_name_their_figures(qtbot: QtBot, view: SaliencyView) -> None:
    heard = Heard(view)
    view.show_summary(made.summary())
    for panel, figure in (
        (view.panel, "saliency"),
        (view.tabs.curves, "curves"),
        (view.tabs.metrics, "faithfulness"),
        (view.tabs.attention, "attention-depth"),
    ):
        action = next(a for a in panel.menu.actions() if a.data() == "svg")
        panel.menu.triggered.emit(action)
        assert heard.last("export_requested") == (figure, "svg")


def test_everything_has_a_name(qtbot: QtBot, view: SaliencyView) -> None:
    shown(qtbot, view)
    for kind in (QComboBox, QSlider, QTableView):
        for part in view.findChildren(kind):
            assert part.accessibleName(), part
    for button in view.findChildren(QAbstractButton):
        named = button.accessibleName() or button.text() or button.metaObject().className()
        assert named, button


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_window_in_both_schemes(
    qtbot: QtBot, view: SaliencyView, scheme: str, qapp: QApplication
) -> None:
    theme().set_scheme(scheme)
    try:
        view.resize(800, 640)
        shown(qtbot, view)
        view.show_summary(made.summary())
        view.show_comparisons(made.comparisons())
        for key in ("pair", "curves", "metrics", "differences", "attention", "settings"):
            view.tabs.show_tab(key)
            assert not view.grab().isNull()
        assert view.minimumSizeHint().width() <= 800
        assert view.minimumSizeHint().height() <= 640
    finally:
        theme().set_scheme("light")


def test_without_a_run_there_is_no_way_back(qtbot: QtBot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    view.show()
    view.show_explanation(made.explanation())
    assert view.bar.banner.isVisible()
    assert not view.bar.back.isVisible()
