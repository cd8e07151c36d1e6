"""Selecting a model anywhere selects it everywhere; two of them are one step from comparison."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from analysis.project import Project
from app.dialogs.palette import CommandPalette
from app.dialogs.run_dialog import RunDialog
from tests.app.steps import entry, one, session, until


def shown(presenter) -> bool:
    return presenter.widget.currentWidget() is not presenter.empty


def open_views(qtbot, window) -> None:
    for name in ("units", "embedding"):
        window.show_perspective(name)
        until(qtbot, lambda name=name: shown(window.presenters[name]))


def selected_in_navigator(window) -> list[str]:
    names = ("Lite0", "Lite2", "SqueezeNet")
    return [name for name in names if entry(window, "model", name).isSelected()]


def test_clicks_in_the_navigator_reach_the_views(qtbot, dissected_window) -> None:
    window = dissected_window
    open_views(qtbot, window)
    entry(window, "model", "Lite2").setSelected(True)
    entry(window, "model", "Lite0").setSelected(True)
    assert session(window).models == ("Lite2", "Lite0")  # in the order of selection
    view = window.presenters["embedding"].view
    assert view.compare_button.isEnabled()
    assert window.inspector.title.text() == "2 models selected"
    entry(window, "model", "Lite2").setSelected(False)
    assert session(window).models == ("Lite0",)
    assert not view.compare_button.isEnabled()
    assert window.inspector.title.text() == "Lite0"


def test_models_chosen_in_a_view_are_selected_in_the_navigator(qtbot, dissected_window) -> None:
    window = dissected_window
    open_views(qtbot, window)
    window.presenters["embedding"].view.models_selected.emit(("SqueezeNet", "Lite0"))
    assert selected_in_navigator(window) == ["Lite0", "SqueezeNet"]
    window.presenters["units"].view.models_selected.emit(("Lite2",))
    assert selected_in_navigator(window) == ["Lite2"]
    assert session(window).models == ("Lite2",)


def test_a_hidden_view_learns_of_the_selection_when_shown(qtbot, dissected_window) -> None:
    window = dissected_window
    open_views(qtbot, window)
    window.show_perspective("concepts")
    window.workspace.select_models(("Lite0", "Lite2"), "test")
    window.show_perspective("embedding")
    view = window.presenters["embedding"].view
    until(qtbot, view.compare_button.isEnabled)


def test_choosing_a_run_leaves_the_models_selected(qtbot, dissected_window) -> None:
    window = dissected_window
    window.workspace.select_models(("Lite0", "Lite2"), "test")
    window.navigator.setCurrentItem(entry(window, "run", 2))
    assert session(window).models == ("Lite0", "Lite2")
    window.workspace.refresh_index()  # the list is made anew with the same choice
    until(qtbot, lambda: not window.workspace.loader.loading)
    assert entry(window, "run", 2).isSelected()


def test_two_selected_models_are_compared_by_one_action(qtbot, dissected_window) -> None:
    window = dissected_window
    compare = window.actions_registry["compare-models"]
    assert not compare.isEnabled()
    window.workspace.select_models(("Lite2", "Lite0"), "test")
    assert compare.isEnabled()
    assert compare.shortcut().toString() == "Ctrl+Shift+C"
    compare.trigger()
    assert window.perspective == "concepts"
    now = session(window)
    assert (now.model_a, now.model_b, now.run_concepts) == ("Lite2", "Lite0", 2)


def test_two_models_not_compared_yet_lead_to_the_filled_dialog(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("embedding")
    until(qtbot, lambda: shown(window.presenters["embedding"]))
    window.presenters["embedding"].view.compare_requested.emit("SqueezeNet", "Lite2")
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "concepts"
    assert dialog.chosen_models() == ("SqueezeNet", "Lite2")
    dialog.close()


def test_a_model_of_a_table_has_nothing_to_compare(qtbot, window, dissected_file) -> None:
    with Project.open(dissected_file) as project:
        project.add_model("from elsewhere", "imported:from elsewhere", library="imported")
    window.commands.open_path(str(dissected_file))
    until(qtbot, lambda: session(window).run_embedding is not None)
    window.workspace.select_models(("from elsewhere", "Lite0"), "test")
    menu = window.navigator.menu_for(entry(window, "model", "from elsewhere"))
    enabled = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert not any(enabled[name] for name in ("compare-models", "show-as-a", "show-as-b"))
    assert enabled["rename-model"]
    menu.close()
    window.actions_registry["compare-models"].trigger()
    box = one(qtbot, QMessageBox)
    assert "comes from a table" in box.text()
    box.close()
    assert entry(window, "model", "from elsewhere").text(0) == "◇ from elsewhere  (table)"
    assert "from elsewhere" not in [
        window.pair_bar.model_a.itemText(i) for i in range(window.pair_bar.model_a.count())
    ]


def test_a_renamed_model_stays_selected(qtbot, dissected_window) -> None:
    window = dissected_window
    window.workspace.select_models(("Lite0", "SqueezeNet"), "test")
    window.workspace.rename_model("SqueezeNet", "Squeeze")
    until(qtbot, lambda: session(window).models == ("Lite0", "Squeeze"))
    until(qtbot, lambda: entry(window, "model", "Squeeze").isSelected())


def test_a_model_from_the_palette_is_selected(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("units")
    window.actions_registry["palette"].trigger()
    palette = one(qtbot, CommandPalette)
    palette.edit.setText("squeezenet")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    assert session(window).models == ("SqueezeNet",)
    assert session(window).model_a == "Lite0"  # no pair is shown here: it stays


def test_going_back_brings_the_selection_back(qtbot, dissected_window) -> None:
    window = dissected_window
    window.show_perspective("embedding")
    window.workspace.select_models(("Lite0",), "test")
    window.workspace.select_models(("Lite0", "Lite2"), "test")
    window.actions_registry["back"].trigger()
    assert session(window).models == ("Lite0",)
    assert selected_in_navigator(window) == ["Lite0"]


def test_a_model_hovered_in_the_embedding_is_marked_in_the_navigator(
    qtbot, dissected_window
) -> None:
    window = dissected_window
    open_views(qtbot, window)
    view = window.presenters["embedding"].view
    back = window.actions_registry["back"].isEnabled()
    view.scatter.model_hovered.emit("Lite2")
    assert session(window).hover_model == "Lite2"
    ground = [entry(window, "model", name).background(0).style() for name in ("Lite0", "Lite2")]
    assert ground == [Qt.BrushStyle.NoBrush, Qt.BrushStyle.SolidPattern]
    view.scatter.model_hovered.emit(None)
    assert session(window).hover_model is None
    assert entry(window, "model", "Lite2").background(0).style() == Qt.BrushStyle.NoBrush
    assert window.actions_registry["back"].isEnabled() == back
    assert session(window).models == ()


def test_a_model_hovered_in_the_navigator_is_ringed_in_the_embedding(
    qtbot, dissected_window
) -> None:
    window = dissected_window
    open_views(qtbot, window)
    navigator, ring = window.navigator, window.presenters["embedding"].view.scatter.flat.hover_ring
    place = navigator.visualItemRect(entry(window, "model", "SqueezeNet")).center()
    qtbot.mouseMove(navigator.viewport(), navigator.rect().topLeft())
    qtbot.mouseMove(navigator.viewport(), place)
    until(qtbot, lambda: session(window).hover_model == "SqueezeNet")
    assert len(ring.getData()[0]) == 1
    place = navigator.visualItemRect(entry(window, "run", 2)).center()
    qtbot.mouseMove(navigator.viewport(), place)
    until(qtbot, lambda: session(window).hover_model is None)
    assert len(ring.getData()[0]) == 0
    navigator.model_hovered.emit("a model without a place")
    assert len(ring.getData()[0]) == 0
