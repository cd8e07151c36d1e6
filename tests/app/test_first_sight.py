"""What is seen before anybody has clicked: the difference between both models, and plain words."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFileDialog, QListWidget, QStyleOptionViewItem, QToolBar

from analysis.figures.concept_choice import most_telling
from app import theme
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.parameter_form import ParameterForm
from app.dialogs.places_dialog import PlacesDialog
from app.labels import WrappedLabel
from app.pair_bar import PairBar
from app.widgets.roomy_rows import ROW_HEIGHT, RoomyRows
from app.widgets.tick_box import TickBox
from tests.app.steps import one, session, until, visible


# -- what differs most comes first -----------------------------------------------------------------
def test_concepts_begin_with_what_sets_the_models_apart(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.focus.detail is not None)
    chosen = most_telling(window.workspace.points)
    assert session(window).concept == chosen == window.workspace.focus.detail.concept_id
    assert window.inspector.title.text().startswith("Concept")


def test_nobody_has_gone_anywhere_for_it(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("layers")
    window.show_perspective("concepts")
    until(qtbot, lambda: session(window).concept is not None)
    window.go_back()
    assert window.perspective == "layers"


def test_a_concept_that_was_let_go_does_not_come_back(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: session(window).concept is not None)
    window.workspace.session.update({"concept": None}, "test")
    window.presenters["concepts"].refresh()
    until(qtbot, lambda: not window.workspace.loader.loading)
    assert session(window).concept is None


def test_what_is_in_focus_already_stays(qtbot, open_window) -> None:
    window = open_window
    until(qtbot, lambda: session(window).run_concepts is not None)
    window.show_perspective("welcome")
    window.workspace.session.update({"concept": 5}, "test")
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    assert session(window).concept == 5


def test_the_inspector_shows_where_a_concept_is_strongest(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.inspector.image.isVisible())
    assert session(window).image is None  # nobody has chosen one
    assert "real, rank 1" in window.inspector.caption.text()
    patch = window.workspace.focus.detail.over[0]
    window.presenters["concepts"].view.patch_focused.emit(patch.patch_id, patch.image)
    until(qtbot, lambda: "over-predicted" in window.inspector.caption.text())
    others = window.workspace.points.concept_id
    other = int(others[others != session(window).concept][0])
    window.presenters["concepts"].view.concept_selected.emit(other)
    until(qtbot, lambda: "real, rank 1" in window.inspector.caption.text())
    window.show_perspective("report")
    assert not window.inspector.image.isVisible()  # a report has no concept in focus


def test_units_begin_with_what_one_model_alone_knows(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    until(qtbot, lambda: window.workspace.focus.unit is not None)
    unit = window.workspace.focus.unit
    assert session(window).unit == unit.unit_id
    assert unit.interpretable


def test_points_have_the_colours_of_their_models(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    panel = window.presenters["concepts"].view.similarity
    assert panel.colouring.currentText() == "by model"
    for colour in theme.MODEL_COLOURS.values():
        assert colour in panel.note.text()
    panel.colouring.setCurrentIndex(0)
    panel.colouring.activated.emit(0)
    assert theme.MODEL_COLOURS["a"] not in panel.note.text()


# -- words while one waits -------------------------------------------------------------------------
def test_a_view_that_takes_long_says_so(qtbot, open_window) -> None:
    window = open_window
    presenter = window.presenters["concepts"]
    until(qtbot, lambda: not window.workspace.loader.loading)
    presenter.show_empty("")
    presenter._say_reading()
    assert not presenter.empty.sentence.text()  # nothing is being read
    project, backend = window.workspace.project, window.workspace.backend
    window.workspace.loader.load(
        "concepts points", backend.run_classes, project, 1, then=lambda _: None
    )
    presenter._say_reading()
    assert "being read" in presenter.empty.sentence.text()
    until(qtbot, lambda: not window.workspace.loader.loading)


def test_welcome_names_the_project_that_is_being_opened(qtbot, window, project_file) -> None:
    window.commands.open_path(project_file)
    page = window.presenters["welcome"].view
    until(qtbot, lambda: window.workspace.project is not None)
    if window.workspace.index is None:  # it is read in another lane
        assert page.title.text() == Path(project_file).stem
    until(qtbot, lambda: window.workspace.index is not None)
    window.show_perspective("welcome")
    assert "being opened" not in page.text.text()


def test_the_question_for_a_folder_stands_before_the_dialog(
    qtbot, open_window, monkeypatch
) -> None:
    window = open_window
    window.actions_registry["relocate"].trigger()
    dialog = one(qtbot, PlacesDialog)
    monkeypatch.setattr("app.commands.QApplication.activeWindow", lambda: dialog)
    asked = window.commands.file_dialog("Where?", "")
    assert isinstance(asked, QFileDialog)
    assert asked.parent() is dialog
    monkeypatch.undo()
    dialog.close()


# -- room for names --------------------------------------------------------------------------------
def test_names_of_models_come_first_in_a_narrow_bar(qtbot) -> None:
    bar = PairBar()
    qtbot.addWidget(bar)
    bar.set_models(["pink-sensitive", "pink-invariant"])
    bar.set_layers(["penultimate"], ["penultimate"])
    bar.set_pair("pink-sensitive", "pink-invariant")
    bar.show()
    for width in (785, 940, 1400):
        bar.resize(width, bar.sizeHint().height())
        until(qtbot, lambda: bar.layout().geometry().width() == bar.width())
        assert bar.model_a.shown_text() == "pink-sensitive"
        assert bar.model_b.shown_text() == "pink-invariant"
        parts = [bar.layout().itemAt(at).widget() for at in range(bar.layout().count())]
        shown = [part.geometry() for part in parts if part is not None and part.isVisible()]
        for one_part, next_part in pairwise(shown):
            assert one_part.right() < next_part.left()


def test_long_names_do_not_push_each_other_away(qtbot) -> None:
    bar = PairBar()
    qtbot.addWidget(bar)
    names = ["efficientnet_b0.ra4_e3600_r224_in1k_" + end for end in ("colour", "grey")]
    bar.set_models(names)
    bar.set_pair(*names)
    bar.show()
    bar.resize(785, bar.sizeHint().height())
    until(qtbot, lambda: bar.layout().geometry().width() == bar.width())
    until(qtbot, lambda: bar.model_a.geometry().right() < bar.swap.geometry().left())
    until(qtbot, lambda: bar.model_b.geometry().right() < bar.class_name.geometry().left())
    assert bar.model_a.shown_text().endswith("colour"[-3:])


def test_a_long_name_breaks_where_a_reader_would(qtbot) -> None:
    label = WrappedLabel()
    qtbot.addWidget(label)
    name = "efficientnet_b0.ra4_e3600_r224_in1k_finetuned_birds_colour_v2"
    label.setText(f"Concept 3 of {name}")
    assert label.text() == f"Concept 3 of {name}"  # what others read is what was written
    label.setWordWrap(True)
    assert label.minimumSizeHint().width() < label.fontMetrics().horizontalAdvance(name) / 2
    plain = WrappedLabel("a short-name_here")
    qtbot.addWidget(plain)
    assert "\u200b" not in super(WrappedLabel, plain).text()


def test_rows_can_be_hit_and_keep_their_colour(qtbot) -> None:
    rows = QListWidget()
    qtbot.addWidget(rows)
    rows.setItemDelegate(RoomyRows(rows))
    rows.addItems(["model A", "another"])
    theme.theme().set_scheme("light")
    blue = QColor(theme.theme().tokens.model_a_text)
    rows.item(0).setForeground(blue)
    assert rows.visualItemRect(rows.item(0)).height() >= ROW_HEIGHT

    def selected_text(row: int) -> QColor:
        option = QStyleOptionViewItem()
        index: QModelIndex = rows.indexFromItem(rows.item(row))
        rows.itemDelegate().initStyleOption(option, index)
        return option.palette.highlightedText().color()

    assert selected_text(0) == blue
    assert selected_text(1) != blue
    assert _contrast(blue, QColor(theme.LIGHT.highlight)) >= 4.5
    theme.theme().set_scheme("dark")
    rows.item(0).setForeground(QColor(theme.DARK.model_a_text))
    ratio = _contrast(selected_text(0), QColor(theme.DARK.highlight))
    theme.theme().set_scheme("light")
    assert ratio >= 4.5


def _contrast(one_colour: QColor, other: QColor) -> float:
    def luminance(colour: QColor) -> float:
        parts = np.array([colour.redF(), colour.greenF(), colour.blueF()])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one_colour), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_first_page_says_what_each_button_does(qtbot, window) -> None:
    page = window.presenters["welcome"].view
    for row in range(page.buttons.rowCount()):
        button, meaning = (page.buttons.itemAtPosition(row, column) for column in (0, 1))
        assert button.widget().text()
        assert meaning.widget().text()
        assert button.widget().accessibleDescription() == meaning.widget().text()


def test_boxes_to_tick_can_be_seen_in_both_schemes(qapp) -> None:
    for scheme in ("dark", "light"):
        theme.theme().set_scheme(scheme)
        tokens = theme.theme().tokens
        # As the style draws the outline: a darker shade of the window's colour.
        outline = TickBox().palette().window().color().darker(140)
        assert _contrast(outline, QColor(tokens.window)) >= 3
        assert _contrast(outline, QColor(tokens.surface)) >= 3
        assert TickBox().palette().windowText().color() == QColor(tokens.text)
        rows = QListWidget()
        rows.setItemDelegate(RoomyRows(rows))
        rows.addItem("bird")
        option = QStyleOptionViewItem()
        option.palette = rows.palette()
        rows.itemDelegate().initStyleOption(option, rows.indexFromItem(rows.item(0)))
        drawn = option.palette.window().color().darker(140)
        assert _contrast(drawn, QColor(tokens.surface)) >= 3


def test_an_export_begins_with_what_is_in_front(qtbot, compared_window) -> None:
    window = compared_window
    for perspective, figure in (("concepts", "concepts"), ("layers", "layers")):
        window.show_perspective(perspective)
        presenter = window.presenters[perspective]
        until(qtbot, lambda: presenter.built and not window.workspace.loader.loading)  # noqa: B023
        window.actions_registry["export-figure"].trigger()
        dialog = one(qtbot, ExportDialog)
        assert dialog._wanted.figure == figure
        dialog.close()
        until(qtbot, lambda: not visible(ExportDialog))


def test_choices_of_parameters_are_words(qtbot) -> None:
    field = SimpleNamespace(
        name="layer_measure", kind="choice", choices=("mmcs_pearson", "paper"), help="",
        default="mmcs_pearson",
    )  # fmt: skip
    form = ParameterForm()
    qtbot.addWidget(form)
    form.show_fields([field], {})
    combo = form.field("layer_measure")
    assert combo.accessibleName() == "Layer measure"
    assert combo.currentText() == "MMCS pearson"
    assert form.values() == {"layer_measure": "mmcs_pearson"}
    form.set_value("layer_measure", "paper")
    assert form.values() == {"layer_measure": "paper"}


def test_every_part_takes_the_other_scheme_at_once(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.focus.detail is not None)
    for scheme, tokens in (("dark", theme.DARK), ("light", theme.LIGHT)):
        theme.theme().set_scheme(scheme)
        ground = QColor(tokens.window)
        view = window.presenters["concepts"].view
        for part in (
            window,
            window.findChild(QToolBar),
            window.tabs,
            view.similarity.table_button,
            view.similarity.menu_button,
            view.concept.caution,
        ):
            assert part.palette().window().color() == ground, part
