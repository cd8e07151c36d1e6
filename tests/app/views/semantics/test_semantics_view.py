"""The semantics view as a whole: what a run is, and what there is without one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from app.theme import theme
from app.views.semantics_view import TABS, SemanticsView
from app.widgets.empty_state import EmptyState
from app.widgets.plot_canvas import PlotCanvas
from tests.app.views import made_semantics as made
from tests.app.views.semantics.steps import Heard, fill, show

# -- what a run is, and what there is without one


def test_untrained_models_say_so(view: SemanticsView) -> None:
    view.show_index(made.index())
    assert f"{made.MODEL_B} is untrained" in view.bar.warning.text()
    assert view.bar.names[1].text() == f"{made.MODEL_B} (untrained)"
    view.show_space(made.space())
    assert view.space.heatmap.data is not None
    assert view.space.heatmap.data.column_title.endswith("(untrained)")
    assert not view.space.heatmap.data.row_title.endswith("(untrained)")
    view.show_index(dataclasses.replace(made.index(trained=(True, True)), left_out=()))
    assert view.bar.warning.isHidden()
    assert "untrained" not in view.bar.names[1].text()


def test_without_a_run_every_panel_says_what_to_do(view: SemanticsView, heard: Heard) -> None:
    show(view)
    assert view.bar.isHidden()
    for key, panel in (("layers", view.space), ("found", view.found.matches),
                       ("classes", view.tcav)):  # fmt: skip
        view.show_tab(key)
        QApplication.processEvents()
        assert isinstance(panel.stack.currentWidget(), EmptyState)
        seen = [one for one in view.findChildren(EmptyState) if one.button.isVisible()]
        assert seen == [panel.empty]  # one sentence, one button
        panel.empty.button.click()
    assert heard.all("action_requested") == [("run semantics",)] * 3
    view.show_tab("concepts")
    assert "Name one here" in view.editor.examples.empty.sentence.text()
    view.editor.other.click()
    assert heard.all("action_requested")[3:] == [("add concept",)]


def test_what_a_run_did_not_measure_is_said(view: SemanticsView, heard: Heard) -> None:
    index = dataclasses.replace(made.index(), mask_layers=((), ()), classes=())
    view.show_index(index)
    show(view, "found")
    assert "found no concepts in any layer" in view.found.matches.empty.sentence.text()
    view.show_tab("classes")
    QApplication.processEvents()
    assert "scored no class" in view.tcav.empty.sentence.text()
    view.found.matches.empty.button.click()
    assert heard.told == [("action_requested", ("run semantics",))]


def test_what_is_empty_in_a_run_is_said_and_others_can_be_chosen(view: SemanticsView) -> None:
    fill(view)
    nothing = np.zeros((0, 0))
    names = ("score", "ci_low", "ci_high", "null_low", "null_high", "p_adjusted")
    view.show_tcav(
        dataclasses.replace(
            made.tcav(), concepts=(), classes=(), separates=np.zeros(0, bool),
            **dict.fromkeys(names, nothing),
        )
    )  # fmt: skip
    assert "no scores in this layer" in view.tcav.empty.sentence.text()
    assert not view.tcav.head.isHidden()
    names = ("pearson", "spearman", "ci_low", "ci_high", "null_95", "p_adjusted")
    view.show_space(
        dataclasses.replace(made.space(), layers_a=(), layers_b=(), **dict.fromkeys(names, nothing))
    )
    assert "no similarity of layers for this concept" in view.space.empty.sentence.text()
    assert not view.space.head.isHidden()
    names = ("ucs", "ci_low", "ci_high", "null_95", "matched")
    empty = np.zeros((len(made.THRESHOLDS), 0, 0))
    view.show_masks(
        dataclasses.replace(
            made.masks(), concepts_a=(), concepts_b=(), **dict.fromkeys(names, empty)
        )
    )
    assert "not compared these two layers" in view.found.matches.empty.sentence.text()
    assert not view.found.bar.isHidden()
    assert view.mask_pair() is None
    view.show_masks(made.masks())
    assert view.found.matches.stack.currentWidget() is view.found.matches.plot


def test_settings_and_what_was_left_out(view: SemanticsView) -> None:
    fill(view)
    assert view.settings.heading.text() == "2 items left out"
    model = view.settings.left_out.model
    rows = [[model.columns[c].text(r) for c in range(2)] for r in range(model.rowCount())]
    assert rows == [list(one) for one in made.index().left_out]
    assert "random sets: 500" in view.bar.settings.text()


# -- access


def test_everything_has_a_name(view: SemanticsView) -> None:
    fill(view)
    view.show_pair(made.projected())
    view.show_examples(7, made.examples(7))
    nameless = []
    for kind in (QComboBox, QAbstractSlider, QAbstractItemView, PlotCanvas, QAbstractButton):
        for widget in view.findChildren(kind):
            assert isinstance(widget, QWidget)
            popup = widget.window() is not view or widget.objectName().startswith("qt_")
            unused = isinstance(widget, QScrollBar) or widget.isHidden()
            parents = (QComboBox, QAbstractItemView, QLineEdit, QTabBar)
            if unused or popup or isinstance(widget.parentWidget(), parents):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text):
                nameless.append(widget)
    assert nameless == []


def test_it_fits_beside_the_docks_of_a_small_window(view: SemanticsView) -> None:
    fill(view)
    view.show_pair(made.projected())
    show(view)
    assert view.minimumSizeHint().width() <= 760
    assert view.minimumSizeHint().height() <= 560


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_draw_every_tab(view: SemanticsView, scheme: str) -> None:
    theme().set_scheme(scheme)
    fill(view)
    view.show_pair(made.projected())
    view.show_examples(7, made.examples(7))
    show(view)
    for key in TABS:
        view.show_tab(key)
        QApplication.processEvents()
        ground = theme().colour("window")
        picture = view.grab().toImage()
        assert picture.pixelColor(QPoint(2, 2)).lightness() == ground.lightness()


def test_every_figure_can_be_exported(view: SemanticsView, heard: Heard) -> None:
    fill(view)
    view.set_pair(2, 2)
    view.show_pair(made.projected())
    panels = (view.space, view.separability, view.found.matches, view.found.robustness,
              view.found.masks, view.tcav)  # fmt: skip
    for panel in panels:
        next(a for a in panel.menu.actions() if a.data() == "svg").trigger()
    assert heard.all("export_requested") == [
        (name, "svg")
        for name in ("space-similarity", "separability", "mask-similarity", "robustness",
                     "mask-pair", "tcav")
    ]  # fmt: skip


def test_unknown_tabs_are_refused(view: SemanticsView) -> None:
    with pytest.raises(ValueError, match="no tab 'no such'"):
        view.show_tab("no such")
