"""The embedding view as a whole: tables, exports, what to do without a run."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.views.embedding_view import EmbeddingView
from tests.app.views import made_embedding as made
from tests.app.views.embedding.steps import fill, listed

# -- the frame


def test_every_figure_has_a_table_and_an_export(qtbot: QtBot, view: EmbeddingView) -> None:
    view.show_counts(made.counts())
    for key in ("profiles", "loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    view.set_models(("Zeta", "Alpha"))
    tabs = view.tabs.contents
    panels = [
        view.scatter,
        tabs["profiles"].profiles,
        tabs["profiles"].concepts,
        tabs["loadings"].loadings,
        tabs["loadings"].counts,
        *tabs["correlations"].panels.values(),
        tabs["ensembles"],
        tabs["groups"].groups,
        tabs["groups"].variance,
        tabs["stability"],
    ]
    told = listed(view.export_requested)
    for panel in panels:
        assert panel.table.model.rowCount() > 0
        panel.menu.actions()[-1].trigger()
        panel.table_button.click()
        assert panel.stack.currentWidget() is panel.table
    assert told == [
        (figure, "json")
        for figure in (
            "embedding",
            "profiles",
            "profiles",
            "loadings",
            "concept-counts",
            "performance-correlation",
            "profile-correlation",
            "ensembles",
            "groups",
            "explained-variance",
            "stability",
        )
    ]


def test_rows_of_tables_select_models(qtbot: QtBot, view: EmbeddingView) -> None:
    view.scatter.table_button.click()
    told = listed(view.models_selected)
    view.scatter.table.table.selectRow(view.scatter.table.model.row_of("Low"))
    assert told == [(("Low",),)]
    assert view.scatter.flat.selection() == view._ids.ids_of(("Low",))


def test_models_dissected_since_can_be_projected(qtbot: QtBot, view: EmbeddingView) -> None:
    assert not view.newcomers.isVisible()
    view.set_unprojected(("ViT", "ResNet"))
    assert view.newcomers_text.text() == "2 models not in this embedding yet: ViT, ResNet"
    with qtbot.waitSignal(view.project_requested):
        view.project_button.click()
    view.set_unprojected(())
    assert not view.newcomers.isVisible()


def test_an_empty_view_offers_the_next_step(qtbot: QtBot) -> None:
    view = EmbeddingView()
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    assert not view.below.isVisible()
    assert not view.trust.isVisible()
    with qtbot.waitSignal(view.action_requested) as caught:
        view.scatter.empty.button.click()
    assert caught.args == ["run embedding"]
    with qtbot.waitSignal(view.action_requested) as caught:
        view.tabs.contents["profiles"].profiles.empty.button.click()
    assert caught.args == ["run dissection"]
    fill(view)
    assert view.trust.isVisible()
    for setter in (view.show_points, view.show_loadings, view.show_profiles, view.show_groups):
        setter(None)
    view.show_correlations(None, None)
    view.show_ensembles((), None)
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    assert not view.grab().isNull()
    assert view.trust.text() == ""


def test_names_are_never_read_as_markup(qtbot: QtBot, view: EmbeddingView) -> None:
    data = made.points()
    hostile = ("<b>bold</b>", *data.models[1:])
    view.show_points(dataclasses.replace(data, models=hostile))
    loads = made.loadings()
    view.show_loadings(dataclasses.replace(loads, concepts=("<i>x</i>", *loads.concepts[1:])))
    assert "<i>x</i>" in view.trust.text()
    assert view.trust.textFormat() == Qt.TextFormat.PlainText
    view.show_surface(dataclasses.replace(made.surface(), task="<img src=x>"))
    assert view.scatter.ground.textFormat() == Qt.TextFormat.PlainText
    assert "<b>" not in view.scatter.note.text()


def test_the_theme_changes_while_everything_is_shown(qtbot: QtBot, view: EmbeddingView) -> None:
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    view.show_surface(made.surface())
    before = theme().scheme
    try:
        theme().set_scheme("dark")
        dark = view.grab().toImage()
        theme().set_scheme("light")
        light = view.grab().toImage()
    finally:
        theme().set_scheme(before)
    spot = QPointF(4, view.height() - 4).toPoint()
    assert dark.pixelColor(spot) != light.pixelColor(spot)
