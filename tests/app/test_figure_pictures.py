"""Small pictures of figures in lists: asked for when seen, kept, drawn anew when results change."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyleOptionViewItem

from app.dialogs.export_dialog import ExportDialog
from app.widgets.figure_source import KEY_ROLE, FigureKey, FigureRows
from tests.app.steps import one, until

LAYERS = FigureKey("layers", 1)


@pytest.fixture
def pictures(open_window):
    """Of the open project; every list is out of sight."""
    return open_window.workspace.figure_pictures


@pytest.fixture
def asked(open_window, monkeypatch):
    """What has been drawn."""
    seen = []
    draw = open_window.workspace.backend.small_picture

    def small_picture(project, name, run, parameters):
        seen.append(name)
        return draw(project, name, run, parameters)

    monkeypatch.setattr(open_window.workspace.backend, "small_picture", small_picture)
    return seen


def seen(qtbot, pictures, key) -> None:
    """Look until there is a picture, or a reason."""
    until(qtbot, lambda: pictures.picture(key) is not None or pictures.problem(key))


def test_a_picture_comes_and_stays(qtbot, pictures, asked) -> None:
    assert pictures.picture(LAYERS) is None
    assert pictures.problem(LAYERS) == ""
    seen(qtbot, pictures, LAYERS)
    picture = pictures.picture(LAYERS)
    assert picture.width() == 360
    assert pictures.picture(LAYERS).cacheKey() == picture.cacheKey()
    assert asked == ["layers"]


def test_of_a_figure_without_results_the_reason_is_known(qtbot, pictures) -> None:
    key = FigureKey("layers", 99)
    seen(qtbot, pictures, key)
    assert pictures.picture(key) is None
    assert "no run 99" in pictures.problem(key)


def test_one_that_fails_does_not_hide_the_others(qtbot, pictures, open_window, monkeypatch) -> None:
    draw = open_window.workspace.backend.small_picture

    def small_picture(project, name, run, parameters):
        if name == "concepts":
            raise ValueError("broken")
        return draw(project, name, run, parameters)

    monkeypatch.setattr(open_window.workspace.backend, "small_picture", small_picture)
    broken = FigureKey("concepts", 2)
    pictures.picture(broken)
    seen(qtbot, pictures, broken)
    seen(qtbot, pictures, LAYERS)
    assert pictures.picture(LAYERS) is not None
    assert pictures.problem(broken)


def test_new_results_are_drawn_and_what_is_unchanged_is_not(qtbot, pictures, asked, open_window):
    seen(qtbot, pictures, LAYERS)
    pictures.on_results(frozenset({1}))
    pictures._look_again()  # at once, not after some seconds
    before = open_window.workspace.backend._small_pictures.drawn
    assert pictures.picture(LAYERS) is not None  # the one before, until the new one has come
    until(qtbot, lambda: asked == ["layers", "layers"] and LAYERS not in pictures._stale)
    assert open_window.workspace.backend._small_pictures.drawn == before  # nothing had changed


def test_nothing_of_another_project_is_shown(qtbot, pictures, open_window) -> None:
    seen(qtbot, pictures, LAYERS)
    open_window.workspace.close_project()
    assert pictures.picture(LAYERS) is None
    assert not pictures._waiting


def painted(rows: FigureRows, view: QListWidget, row: int) -> QImage:
    index = view.model().index(row, 0)
    option = QStyleOptionViewItem()
    rows.initStyleOption(option, index)
    option.rect = QRect(0, 0, 240, rows.sizeHint(option, index).height())
    image = QImage(option.rect.size(), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    with QPainter(image) as painter:
        rows.paint(painter, option, index)
    return image


def test_rows_show_a_placeholder_then_the_figure(qtbot, pictures) -> None:
    view = QListWidget()
    qtbot.addWidget(view)
    rows = FigureRows(view, (92, 62))
    view.setItemDelegate(rows)
    plain, figure = QListWidgetItem("Summary", view), QListWidgetItem("Figure: Layers <b>", view)
    figure.setData(KEY_ROLE, LAYERS)
    assert plain.data(KEY_ROLE) is None
    rows.set_source(pictures)
    option = QStyleOptionViewItem()
    low, high = (rows.sizeHint(option, view.model().index(row, 0)).height() for row in (0, 1))
    assert low < 40 < high == 72
    waiting = painted(rows, view, 1)
    seen(qtbot, pictures, LAYERS)
    there = painted(rows, view, 1)
    assert there != waiting
    index = view.model().index(1, 0)
    tip = rows.tip(index, LAYERS)
    assert "Layers &lt;b&gt;" in tip
    assert "data:image/png;base64," in tip
    assert "no run 99" not in rows.tip(index, FigureKey("layers", 99))


def test_the_export_dialog_lists_figures_by_sight(qtbot, open_window, asked) -> None:
    open_window.show_perspective("layers")
    open_window.commands.export("figure")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: dialog.what.count() > 5)
    names = [dialog.what.itemData(row).name for row in range(dialog.what.count())]
    key = dialog.what.itemData(names.index("layers"), KEY_ROLE)
    assert key == FigureKey("layers", open_window.workspace.session.snapshot.run_layers)
    assert dialog.what.itemData(names.index("concepts"), KEY_ROLE) == FigureKey("concepts", None)
    dialog.what.showPopup()
    assert isinstance(dialog.what.itemDelegate(), FigureRows)
    until(qtbot, lambda: "layers" in asked)
    dialog.what.hidePopup()
    dialog.close()
