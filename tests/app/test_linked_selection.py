"""What is chosen in one part of the window is chosen in the others."""

from __future__ import annotations

from app.dialogs.run_dialog import RunDialog
from tests.app.steps import one, session, until


def test_selecting_a_concept_selects_everywhere(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    view = window.presenters["concepts"].view
    view.concept_selected.emit(5)
    until(qtbot, lambda: window.inspector.title.text().startswith("Concept"))
    assert session(window).concept == 5
    assert "CMCS" in window.inspector.sentence.text()
    detail = window.workspace.focus.detail
    patch = detail.under[0]
    view.patch_focused.emit(patch.patch_id, patch.image)
    until(qtbot, lambda: "under-predicted" in window.inspector.caption.text())
    assert window.inspector.image.isVisible()
    assert window.inspector.place.text().endswith(".png")


def test_class_in_the_bar_and_in_the_view(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    until(qtbot, lambda: window.pair_bar.class_name.count() == 4)
    window.pair_bar.class_changed.emit("mammal")
    assert window.pair_bar.class_name.currentText() == "mammal"
    window.pair_bar.class_changed.emit(None)
    assert session(window).class_name is None


def test_an_unknown_class_typed_is_put_back(qtbot, open_window) -> None:
    combo = open_window.pair_bar.class_name
    open_window.show_perspective("concepts")
    until(qtbot, lambda: combo.count() == 4)
    combo.setEditText("unicorn")
    combo.lineEdit().editingFinished.emit()
    assert combo.currentText() == "all classes"
    combo.setEditText("Vehicle")
    combo.lineEdit().editingFinished.emit()
    assert session(open_window).class_name == "vehicle"


def test_swapping_mirrors_what_is_shown(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("layers")
    view = window.presenters["layers"].view
    until(qtbot, lambda: view.data is not None)
    before = view.data.values.copy()
    window.pair_bar.swap.click()
    until(qtbot, lambda: view.data.model_a == "Lite2")
    assert (view.data.values == before.T).all()
    assert window.pair_bar.model_a.currentText() == "Lite2"


def test_choosing_the_others_model_swaps(qtbot, open_window) -> None:
    open_window.pair_bar.pair_changed.emit("Lite2", "Lite0")
    assert session(open_window).run_concepts == 2
    open_window.pair_bar.pair_changed.emit("Lite2", "SqueezeNet")
    assert session(open_window).run_concepts is None
    open_window.show_perspective("concepts")
    presenter = open_window.presenters["concepts"]
    assert presenter.widget.currentWidget() is presenter.empty
    assert presenter.empty.button.text() == "Run an audit…"


def test_heatmap_cell_leads_to_concepts_or_a_prefilled_run(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("layers")
    view = window.presenters["layers"].view
    until(qtbot, lambda: view.data is not None)
    view.pair_focused.emit("block1", "block2")
    assert (session(window).layer_a, session(window).layer_b) == ("block1", "block2")
    assert window.pair_bar.layer_a.currentText() == "block1"
    view.pair_activated.emit("block1", "block2")
    dialog = one(qtbot, RunDialog)
    values = dialog.parameters.values()
    assert (values["layer_a"], values["layer_b"]) == ("block1", "block2")
    assert dialog.audit.currentData() == "concepts"
    dialog.reject()
    view.pair_activated.emit("penultimate", "penultimate")
    assert window.perspective == "concepts"


def test_hidden_perspectives_load_when_shown(qtbot, open_window) -> None:
    window = open_window
    layers = window.presenters["layers"]
    window.show_perspective("layers")
    until(qtbot, lambda: layers.view.data is not None)
    window.show_perspective("concepts")
    window.pair_bar.swap.click()
    assert layers.view.data.model_a == "Lite0"  # not loaded while hidden
    window.show_perspective("layers")
    until(qtbot, lambda: layers.view.data.model_a == "Lite2")


def test_escape_goes_back(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("layers")
    window.show_perspective("concepts")
    window.actions_registry["back"].trigger()
    assert window.perspective == "layers"
