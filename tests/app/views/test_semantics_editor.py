"""The editor of concepts given by examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from analysis.figures.semantics_data import ConceptSetInfo
from app.views.semantics_editor import ConceptEditor
from app.widgets.image_grid import ImageGrid
from tests.app.views import made_semantics as made


class Told:
    """What the editor has told, by signal."""

    def __init__(self, editor: ConceptEditor) -> None:
        self.told: list[tuple[str, tuple[object, ...]]] = []
        for name in ("set_focused", "set_added", "set_renamed", "set_removed", "examples_removed",
                     "examples_turned", "examples_wanted"):  # fmt: skip
            getattr(editor, name).connect(self._listener(name))

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(*what: object) -> None:
            self.told.append((name, what))

        return listen


@pytest.fixture
def editor(qtbot: QtBot, make_source: Callable) -> ConceptEditor:
    widget = ConceptEditor()
    qtbot.addWidget(widget)
    widget.resize(1200, 760)
    widget.set_source(make_source())
    widget.show_sets(made.concept_sets())
    return widget


@pytest.fixture
def told(editor: ConceptEditor) -> Told:
    return Told(editor)


def rows(editor: ConceptEditor) -> list[list[str]]:
    items = [editor.tree.topLevelItem(row) for row in range(editor.tree.topLevelItemCount())]
    return [[item.text(column) for column in range(4)] for item in items if item is not None]


def choose(grid: ImageGrid, places: list[int]) -> None:
    for place in places:
        grid.selectionModel().select(
            grid.grid_model.index(place, 0), QItemSelectionModel.SelectionFlag.Select
        )


def test_concepts_are_listed_with_what_they_are_given_by(editor: ConceptEditor) -> None:
    assert rows(editor) == [
        ["striped", "patches", "24", "random"],
        ["wheel", "label", "118", "random"],
        ["grass", "folder", "when used", "random"],
        ["fur", "patches", "9", "5"],
    ]
    assert editor.focus() == 7


def test_a_new_concept_takes_the_focus_when_it_comes(
    editor: ConceptEditor, told: Told, qtbot: QtBot
) -> None:
    assert not editor.add.isEnabled()
    qtbot.keyClicks(editor.new_name, "  zebra   stripes ")
    qtbot.keyClick(editor.new_name, Qt.Key.Key_Return)
    assert told.told == [("set_added", ("zebra stripes",))]
    assert editor.new_name.text() == ""
    new = ConceptSetInfo(31, "zebra stripes", "patches", "", 0, None)
    editor.show_sets((*made.concept_sets(), new))
    assert editor.focus() == 31
    assert len(told.told) == 1


def test_a_name_that_is_taken_is_refused_with_the_reason(
    editor: ConceptEditor, told: Told, qtbot: QtBot
) -> None:
    qtbot.keyClicks(editor.new_name, "FUR")
    assert "There is a concept “FUR” already." in editor.problem.text()
    assert not editor.add.isEnabled()
    qtbot.keyClick(editor.new_name, Qt.Key.Key_Return)
    item = editor.tree.topLevelItem(0)
    assert item is not None
    item.setText(0, "wheel")
    assert item.text(0) == "striped"
    item.setText(0, "   ")
    assert item.text(0) == "striped"
    assert told.told == []


def test_a_concept_is_renamed_in_place(editor: ConceptEditor, told: Told) -> None:
    item = editor.tree.topLevelItem(3)
    assert item is not None
    item.setText(0, " brown fur ")
    assert told.told == [("set_renamed", (12, "brown fur"))]
    item.setText(2, "1000")  # not for editing
    assert item.text(2) == "9"
    assert len(told.told) == 1


def test_removing_a_concept_asks_first(editor: ConceptEditor, told: Told) -> None:
    editor.set_concept_set(12)
    editor.remove.click()
    assert not editor.question.isHidden()
    assert editor.question_text.text() == "Remove “fur” and its 9 examples? Results of runs stay."
    editor.keep.click()
    assert editor.question.isHidden()
    assert told.told == []
    editor.remove.click()
    editor.sure.click()
    assert told.told == [("set_removed", (12,))]
    editor.show_sets(made.concept_sets()[:3])
    assert editor.focus() == 7


def test_examples_and_negatives_stand_apart_and_are_removed_by_id(
    editor: ConceptEditor, told: Told
) -> None:
    editor.set_concept_set(12)
    examples = made.examples(12, 9, 5)
    editor.show_examples(12, examples)
    positives, negatives = editor.examples.positives, editor.examples.negatives
    assert [item.identity for item in positives.grid.grid_model.items] == [
        one.id for one in examples[:9]
    ]
    assert [item.identity for item in negatives.grid.grid_model.items] == [
        one.id for one in examples[9:]
    ]
    assert [item.box for item in positives.grid.grid_model.items] == [
        one.box for one in examples[:9]
    ]
    assert negatives.heading.text() == "Negatives (5)"
    assert not editor.examples.remove.isEnabled()
    choose(positives.grid, [1, 4])
    choose(negatives.grid, [2])
    assert editor.examples.remove.text() == "Remove 3 examples"
    editor.examples.remove.click()
    wanted = (examples[1].id, examples[4].id, examples[11].id)
    assert told.told == [("examples_removed", (wanted,))]
    kept = tuple(one for one in examples if one.id not in wanted)
    editor.show_examples(12, kept)
    assert len(positives.grid.grid_model.items) == 7
    assert not editor.examples.remove.isEnabled()


def test_examples_and_negatives_are_turned(editor: ConceptEditor, told: Told, qtbot: QtBot) -> None:
    editor.set_concept_set(12)
    examples = made.examples(12, 9, 5)
    editor.show_examples(12, examples)
    panel = editor.examples
    assert not panel.turn.isEnabled()
    choose(panel.positives.grid, [1, 4])
    assert panel.turn.text() == "Make 2 negative"
    choose(panel.negatives.grid, [2])
    assert panel.turn.text() == "Swap the roles of 3"
    panel.positives.grid.clearSelection()
    assert panel.turn.text() == "Make 1 positive"
    panel.turn.click()
    assert told.told == [("examples_turned", ((examples[11].id,),))]
    told.told.clear()
    with qtbot.waitActive(editor):
        editor.show()
        editor.activateWindow()
    grid = panel.positives.grid
    grid.setFocus()
    panel.negatives.grid.clearSelection()
    grid.clearSelection()
    choose(grid, [0])
    qtbot.keyClick(grid, Qt.Key.Key_T)
    assert ("examples_turned", ((examples[0].id,),)) in told.told


def test_what_a_label_gives_cannot_be_turned(editor: ConceptEditor, told: Told) -> None:
    editor.set_concept_set(3)
    editor.examples.show_examples(made.examples(3, 0, 2))
    choose(editor.examples.negatives.grid, [0])
    assert editor.examples.remove.isEnabled()
    assert not editor.examples.turn.isEnabled()
    editor.examples.turn.clicked.emit()
    assert not [what for what in told.told if what[0] == "examples_turned"]


def test_examples_are_called_by_their_images(editor: ConceptEditor) -> None:
    editor.set_concept_set(12)
    named = [dataclasses.replace(one, image_name="boat/boat_1.jpg") for one in made.examples(12, 1)]
    editor.show_examples(12, tuple(named))
    caption = editor.examples.positives.grid.grid_model.items[0].caption
    assert caption == "boat/boat_1.jpg\n64 × 64 px at 0, 20"


def test_examples_are_asked_for_where_the_project_keeps_them(
    editor: ConceptEditor, told: Told, qtbot: QtBot
) -> None:
    editor.show()
    QApplication.processEvents()
    assert told.told == [("examples_wanted", (7,))]
    editor.show_examples(12, made.examples(12))  # late: another concept is in focus
    assert editor.examples.examples is None
    editor.show_examples(7, ())
    assert "No example yet" in editor.examples.positives.nothing.text()
    assert "drawn at random" in editor.examples.negatives.nothing.text()
    told.told.clear()
    editor.tree.setFocus()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Down)
    assert told.told == [("set_focused", (3,))]  # of a label: nothing is kept, nothing asked
    assert "not kept in the project file" in editor.examples.positives.nothing.text()
    assert "Image regions with a label" in editor.examples.facts.text()
    qtbot.keyClick(editor.tree, Qt.Key.Key_End)
    assert told.told[1:] == [("examples_wanted", (12,)), ("set_focused", (12,))]


def test_the_delete_key_works_in_both_places(
    editor: ConceptEditor, told: Told, qtbot: QtBot
) -> None:
    editor.show_examples(7, made.examples(7, 3))
    with qtbot.waitActive(editor):
        editor.show()
        editor.activateWindow()
    grid = editor.examples.positives.grid
    grid.setFocus()
    grid.clearSelection()  # the focus took the first one
    choose(grid, [2])
    qtbot.keyClick(grid, Qt.Key.Key_Delete)
    assert ("examples_removed", ((7014,),)) in told.told
    editor.tree.setFocus()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Delete)
    assert not editor.question.isHidden()
