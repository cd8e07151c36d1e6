"""Tables and label planes made elsewhere, taken in through the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from app.dialogs.import_dialog import ImportDialog, left_out_lines
from app.dialogs.labels_dialog import LabelsDialog
from app.dialogs.run_dialog import RunDialog
from tests.app.steps import entry, one, session, until, visible

UNITS = """name,unit,iou,label,category
elsewhere,0,0.2,wheel,part
elsewhere,1,0.01,-,-
Lite0,0,0.1,dog,object
Lite0,1,,dog,object
"""
ONE_MODEL = "unit,category,label,score\n1,object,dog,0.2\n2,part,wheel,0.1\n"
PERFORMANCE = "model,ImageNet,words\nLite0,70.5,good\nelsewhere,60,bad\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "units.csv"
    path.write_text(UNITS, encoding="utf-8")
    return path


@pytest.fixture
def dialog(qtbot, open_window) -> ImportDialog:
    open_window.actions_registry["import-table"].trigger()
    return one(qtbot, ImportDialog)


def test_a_table_is_shown_before_it_is_imported(qtbot, open_window, dialog, table) -> None:
    assert not dialog.accept_button.isEnabled()
    dialog.path.set_text(str(table))
    until(qtbot, dialog.accept_button.isEnabled)
    text = dialog.contents.text()
    assert "units as the LCE authors publish them: 2 models, 4 units" in text
    assert "New to this project: elsewhere" in text
    assert "2 units without a usable concept" in text
    assert not dialog.model.isVisible()
    assert not dialog.embed.isVisible()
    assert len(open_window.workspace.index.runs) == 2  # nothing is written yet


def test_units_are_imported_shown_and_embedded(qtbot, open_window, dialog, table) -> None:
    window = open_window
    dialog.path.set_text(str(table))
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: "taken in as run 3" in dialog.contents.text())
    assert "Added to the project: elsewhere" in dialog.contents.text()
    assert not dialog.path.isEnabled()
    assert dialog.embed.isVisible()
    dialog.accept_button.click()
    until(qtbot, lambda: session(window).run_dissection == 3)
    assert window.perspective == "units"
    units = window.presenters["units"]
    until(qtbot, lambda: units.widget.currentWidget() is not units.empty)
    assert len(units.view.table.model.shown_rows()) == 4
    assert entry(window, "model", "elsewhere").text(0) == "◇ elsewhere  (table)"
    assert "units.csv" in entry(window, "run", 3).text(0)
    assert "from the table units.csv" in entry(window, "run", 3).toolTip(0)


def test_from_import_to_embedding_in_one_click(qtbot, open_window, dialog, table) -> None:
    dialog.path.set_text(str(table))
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, dialog.embed.isVisible)
    until(qtbot, lambda: open_window.workspace.run(3) is not None)
    dialog.embed.click()
    plan = one(qtbot, RunDialog)
    assert plan.audit.currentData() == "embedding"
    assert set(plan.chosen_models()) == {"elsewhere", "Lite0"}
    plan.close()


def test_a_table_without_a_model_asks_for_its_name(qtbot, open_window, dialog, tmp_path) -> None:
    path = tmp_path / "alexnet.csv"
    path.write_text(ONE_MODEL, encoding="utf-8")
    dialog.path.set_text(str(path))
    until(qtbot, dialog.model.isVisible)
    assert dialog.model.text() == "alexnet"
    dialog.model.setText("")
    qtbot.keyClicks(dialog.model, "AlexNet 2012")
    until(qtbot, lambda: "Models: AlexNet 2012" in dialog.contents.text())
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: open_window.workspace.index.model("AlexNet 2012") is not None)
    assert not dialog.embed.isVisible()


def test_performance_is_imported_and_says_what_it_left_out(
    qtbot, open_window, dialog, tmp_path
) -> None:
    path = tmp_path / "performance.csv"
    path.write_text(PERFORMANCE, encoding="utf-8")
    dialog.path.set_text(str(path))
    until(qtbot, dialog.accept_button.isEnabled)
    assert "words:" in dialog.contents.text()
    dialog.accept_button.click()
    until(qtbot, lambda: dialog.accept_button.text() == "Show performance")
    assert "2 values of 2 models" in dialog.contents.text()
    assert "words:" in dialog.contents.text()
    assert not dialog.embed.isVisible()
    dialog.accept_button.click()
    until(qtbot, lambda: session(open_window).run_evaluation == 3)
    assert open_window.perspective == "embedding"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "unit,iou\n1,x\n", "\x00\x01", UNITS + UNITS])
def test_what_cannot_be_read_is_said_and_nothing_is_lost(qtbot, dialog, tmp_path, text) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text, encoding="utf-8")
    dialog.path.set_text(str(path))
    until(qtbot, lambda: dialog.message.text() not in ("", "Reading…"))
    assert not dialog.accept_button.isEnabled()
    assert dialog.path.text() == str(path)
    dialog.path.set_text(str(tmp_path / "none.csv"))
    assert dialog.message.text() == "There is no such file."
    dialog.close()


def test_a_failing_import_can_be_tried_again(qtbot, open_window, dialog, table) -> None:
    dialog.path.set_text(str(table))
    until(qtbot, dialog.accept_button.isEnabled)
    content = table.read_bytes()
    table.unlink()
    dialog.accept_button.click()
    until(qtbot, lambda: dialog.message.text() not in ("", "Importing…"))
    assert dialog.isVisible()
    table.write_bytes(content)
    dialog.accept_button.click()
    until(qtbot, lambda: "taken in" in dialog.contents.text())
    dialog.close()


def test_dropping_a_table_opens_the_dialog(qtbot, open_window, table) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(table))])
    open_window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    dialog = one(qtbot, ImportDialog)
    assert dialog.path.text() == str(table)
    dialog.close()


def test_what_was_left_out_is_cut_short() -> None:
    lines = left_out_lines([(f"column {number}", "no number in it") for number in range(40)])
    assert lines[0] == "Left out (40):"
    assert lines[-1] == "  and 34 more"
    assert left_out_lines([]) == []


# -- label planes ------------------------------------------------------------------------------
def test_label_planes_are_added_listed_and_removed(qtbot, open_window, tmp_path) -> None:
    window = open_window
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / "names.csv").write_text("index,name\n1,wheel\n", encoding="utf-8")
    window.actions_registry["add-labels"].trigger()
    dialog = one(qtbot, LabelsDialog)
    for text in ("", str(tmp_path / "none"), "\0"):
        dialog.source.set_text(text)
        assert not dialog.accept_button.isEnabled()
    dialog.source.set_text(str(folder))
    assert dialog.name.text() == "masks"
    assert dialog.image_set.currentText().startswith("scenes")
    dialog.accept_button.click()
    until(qtbot, lambda: len(window.workspace.index.labels) == 1)
    until(qtbot, lambda: not visible(LabelsDialog))
    labels = window.workspace.index.labels[0]
    assert (labels.name, labels.kind, labels.image_set) == ("masks", "masks", 1)
    assert entry(window, "label planes", labels.id).text(0) == "▦ masks  label planes"
    window.workspace.edit("remove_label_planes", labels.id)
    until(qtbot, lambda: window.workspace.index.labels == ())


def test_a_taken_name_of_label_planes_is_refused(qtbot, open_window, tmp_path) -> None:
    open_window.workspace.project.add_label_planes("masks", tmp_path, "masks", None)
    open_window.workspace.refresh_index()
    until(qtbot, lambda: len(open_window.workspace.index.labels) == 1)
    open_window.actions_registry["add-labels"].trigger()
    dialog = one(qtbot, LabelsDialog)
    dialog.source.set_text(str(tmp_path))
    dialog.name.setText("masks")
    dialog.accept()
    assert "already in this project" in dialog.message.text()
    dialog.close()
