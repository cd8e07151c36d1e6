"""The perspective Saliency: maps, curves and steps as they are asked for, live, linked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from analysis.errors import AuditError
from analysis.figures.saliency_data import Cell
from analysis.project import Project
from app.backend_export import FigureRequest
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.run_dialog import RunDialog
from tests.app.made_saliency import make_explanation
from tests.app.steps import entry, one, session, until

LITE0 = Cell(1, "Lite0", "gradcam")
LITE2 = Cell(2, "Lite2", "random")


class Heard:
    """What the presenter told the view, by setter."""

    SETTERS = (
        "show_index", "show_maps", "show_summary", "show_comparisons", "show_curves", "show_step",
        "show_depth", "show_explanation", "set_image", "set_models", "set_method",
        "set_arrangement",
    )  # fmt: skip

    def __init__(self, view, monkeypatch) -> None:
        self.view = view
        self.calls: dict[str, list] = {name: [] for name in self.SETTERS}
        for name in self.SETTERS:
            monkeypatch.setattr(view, name, self._note(name, getattr(view, name)))

    def _note(self, name, setter):
        def told(*arguments):
            self.calls[name].append(arguments[0])
            setter(*arguments)

        return told

    def __getattr__(self, name):
        return self.calls[name]


@pytest.fixture
def saliency(explained_window):
    return explained_window.presenters["saliency"]


@pytest.fixture
def heard(qtbot, saliency, explained_window, monkeypatch) -> Heard:
    """The setters' calls, from before the run is shown."""
    heard = Heard(saliency.view, monkeypatch)
    explained_window.show_perspective("saliency")
    until(qtbot, lambda: heard.show_index and heard.show_summary and heard.show_comparisons)
    return heard


def settled(qtbot, window) -> None:
    until(qtbot, lambda: not window.workspace.loader.loading)


def test_the_newest_run_is_shown(qtbot, heard, saliency, explained_window) -> None:
    assert session(explained_window).run_saliency == 3
    assert heard.show_index[-1].images.tolist() == [1, 2, 3]  # in order of label and path
    assert heard.show_index[-1].models == ("Lite0", "Lite2")
    assert heard.show_summary[-1].n.tolist() == [[[1, 1], [1, 1]]]
    assert saliency.widget.currentWidget() is saliency.view
    assert not explained_window.pair_bar.layer_a.isVisible()


def test_every_map_asked_for_comes(qtbot, heard, saliency) -> None:
    """A later question does not drop the answer to an earlier one."""
    heard.show_maps.clear()
    saliency.view.maps_needed.emit((LITE0,))
    saliency.view.maps_needed.emit((LITE2,))
    until(qtbot, lambda: {c for maps in heard.show_maps for c in maps} >= {LITE0, LITE2})
    found = next(maps[LITE2] for maps in heard.show_maps if LITE2 in maps)
    assert found.values[0].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert found.region == (10, 0, 40, 40)


def test_maps_are_read_in_batches_newest_wish_first(
    qtbot, heard, saliency, backend, monkeypatch
) -> None:
    asked = []
    read = backend.saliency_maps

    def noted(project, run, cells):
        asked.append(cells)
        return read(project, run, cells)

    until(qtbot, lambda: heard.show_maps and not saliency.workspace.loader.loading)
    monkeypatch.setattr(backend, "saliency_maps", noted)
    many = tuple(Cell(1, f"model {number}", "gradcam") for number in range(250))
    saliency.view.maps_needed.emit(many)
    saliency.view.maps_needed.emit((LITE0,))
    until(qtbot, lambda: len(asked) == 3 and not saliency.workspace.loader.loading)
    assert asked[0] == many[:96]
    assert asked[1][0] == LITE0
    assert sorted(c for cells in asked for c in cells) == sorted((*many, LITE0))


def test_curves_of_the_cells_selected(qtbot, heard, saliency, explained_window) -> None:
    def shown():
        curves = heard.show_curves[-1] if heard.show_curves else None
        return [] if curves is None else [curve.cell for curve in curves.curves]

    # Where nothing is selected, the chosen image's maps of two models are.
    until(qtbot, lambda: {cell.model for cell in shown()} == set(saliency.index.models[:2]))
    assert session(explained_window).image is None  # nobody has chosen it
    saliency.view.cells_selected.emit((LITE0,))
    until(qtbot, lambda: len(set(shown())) == 1)
    curves = heard.show_curves[-1]
    assert [curve.cell for curve in curves.curves] == [LITE0, LITE0]
    assert {curve.kind for curve in curves.curves} == {"insertion", "deletion"}
    assert curves.curves[0].scores.tolist() == pytest.approx([0.9, 0.6, 0.4, 0.2, 0.1])
    assert session(explained_window).image == LITE0.image  # the one of the map clicked
    saliency.view.cells_selected.emit(())
    assert heard.show_curves[-1] is None


def test_dragging_shows_steps_and_ends_at_the_newest(
    qtbot, heard, saliency, backend, monkeypatch
) -> None:
    asked = []
    read = backend.step_picture

    def noted(*arguments):
        asked.append(arguments[-1])
        return read(*arguments)

    monkeypatch.setattr(backend, "step_picture", noted)
    for step in (0, 1, 2, 3, 4):
        saliency.view.step_needed.emit(LITE0, "deletion", step)
    until(qtbot, lambda: heard.show_step and heard.show_step[-1].step == 4)
    assert asked == [0, 4]  # what lay between was passed over before it could be read
    assert [picture.step for picture in heard.show_step] == asked
    assert heard.show_step[0].pixels.shape == (40, 40, 3)
    assert (heard.show_step[-1].pixels != heard.show_step[0].pixels).any()


def test_a_step_that_cannot_be_had_is_said_once(qtbot, heard, saliency, backend, monkeypatch):
    said = []
    saliency.workspace.problem_found.disconnect()
    saliency.workspace.problem_found.connect(lambda problem, _what: said.append(problem.summary))

    def fails(*_arguments):
        raise AuditError("There is no picture of it.")

    monkeypatch.setattr(backend, "step_picture", fails)
    for step in (1, 2, 3):
        saliency.view.step_needed.emit(LITE0, "deletion", step)
        until(qtbot, lambda: not saliency.workspace.loader.loading)
    assert said == ["There is no picture of it."]
    assert saliency.widget.currentWidget() is saliency.view


def test_attention_by_depth(qtbot, heard, saliency) -> None:
    saliency.view.depth_needed.emit(1, "Lite0")
    until(qtbot, lambda: heard.show_depth and heard.show_depth[-1] is not None)
    assert heard.show_depth[-1].values.shape == (2, 3, 4, 4)
    saliency.view.depth_needed.emit(1, "Lite2")
    until(qtbot, lambda: heard.show_depth[-1] is None)


def test_image_and_models_are_linked(qtbot, heard, saliency, explained_window) -> None:
    window = explained_window
    saliency.view.image_focused.emit(2)
    assert session(window).image == 2
    until(qtbot, window.inspector.image.isVisible)
    assert window.inspector.place.text() == "mammal/1.png"
    assert not window.inspector.look.isVisible()  # its maps are here
    saliency.view.models_selected.emit(("Lite2",))
    assert not window.inspector.hint.isVisible()
    assert session(window).models == ("Lite2",)
    assert entry(window, "model", "Lite2").isSelected()
    window.workspace.session.update({"image": 4, "models": ("Lite0",)}, "test")
    assert heard.set_image[-1] == 4
    assert heard.set_models[-1] == ("Lite0",)
    saliency.view.method_chosen.emit("random")
    assert session(window).saliency_method == "random"
    window.workspace.session.update({"saliency_method": "gradcam"}, "test")
    assert heard.set_method[-1] == "gradcam"


def test_a_hidden_view_learns_of_the_image_when_shown(qtbot, heard, saliency, explained_window):
    explained_window.show_perspective("concepts")
    explained_window.workspace.session.update({"image": 4}, "test")
    assert heard.set_image[-1] != 4
    explained_window.show_perspective("saliency")
    assert heard.set_image[-1] == 4


def test_maps_appear_image_by_image(qtbot, heard, explained_window, backend) -> None:
    window = explained_window
    backend.gate.clear()
    parameters = backend.parse_parameters("saliency", {})
    window.workspace.start_audit("saliency", ("SqueezeNet",), parameters, 1, "auto")
    until(qtbot, lambda: session(window).run_saliency == 4)
    until(qtbot, lambda: heard.show_index[-1].run == 4)
    assert heard.show_index[-1].images.tolist() == [1]
    assert window.workspace.jobs.busy
    backend.gate.set()
    until(qtbot, lambda: len(heard.show_index[-1].images) == 3)
    until(qtbot, lambda: heard.show_summary[-1].models == ("SqueezeNet",))


def test_without_a_run_one_can_be_planned(qtbot, open_window) -> None:
    open_window.show_perspective("saliency")
    presenter = open_window.presenters["saliency"]
    assert presenter.widget.currentWidget() is presenter.empty
    assert presenter.empty.button.text() == "Explain images…"
    presenter.empty.button.click()
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "saliency"
    assert dialog.chosen_models() == ("Lite0", "Lite2", "SqueezeNet")
    until(qtbot, dialog.accept_button.isEnabled)
    assert dialog.parameters.values()["methods"] == ""
    dialog.close()


def test_the_views_buttons_lead_to_dialogs(qtbot, heard, saliency, explained_window) -> None:
    saliency.view.action_requested.emit("run saliency")
    dialog = one(qtbot, RunDialog)
    assert dialog.audit.currentData() == "saliency"
    dialog.close()
    settled(qtbot, explained_window)


def test_export_takes_what_is_on_the_screen(qtbot, heard, saliency, explained_window) -> None:
    wishes = []
    saliency.export_wished.disconnect()
    saliency.export_wished.connect(lambda *wish: wishes.append(wish))
    saliency.view.cells_selected.emit((LITE0, LITE2))
    saliency.view.depth_needed.emit(1, "Lite0")
    for figure in ("faithfulness", "saliency", "curves", "attention-depth"):
        saliency.view.export_requested.emit(figure, "svg")
    assert {wish[1:3] for wish in wishes} == {("svg", 3)}
    of = {figure: parameters for figure, _form, _run, parameters in wishes}
    assert of["saliency"]["grid"] == "models"
    assert of["saliency"]["methods"] == "gradcam"
    assert of["insertion-deletion"] == {"models": "Lite0,Lite2", "methods": "gradcam,random"}
    assert (of["attention-depth"]["image"], of["attention-depth"]["model"]) == (1, "Lite0")


@pytest.mark.parametrize("figure", ["saliency", "faithfulness", "curves", "attention-depth"])
def test_figures_can_be_made_of_what_is_exported(
    qtbot, heard, saliency, backend, tmp_path, figure
) -> None:
    wishes = []
    saliency.export_wished.disconnect()
    saliency.export_wished.connect(lambda *wish: wishes.append(wish))
    saliency.view.depth_needed.emit(1, "Lite0")
    settled(qtbot, saliency)
    saliency.view.export_requested.emit(figure, "csv")
    name, form, run, parameters = wishes[0]
    assert name in {choice.name for choice in backend.figure_choices()}
    out = tmp_path / f"it.{form}"
    wanted = FigureRequest(name, run, parameters)
    backend.export_figure(saliency.workspace.project, wanted, out)
    assert "Lite0" in out.read_text(encoding="utf-8")


# -- an explanation in front of the run -----------------------------------------------------------
@pytest.fixture
def explanation(tmp_path):
    return make_explanation(tmp_path / "dog.png", ("Lite0", "Lite2"))


def test_an_explanation_is_shown_and_left(qtbot, heard, saliency, explanation) -> None:
    saliency.show_explanation(explanation)
    assert heard.show_explanation[-1] is explanation
    before = len(heard.show_maps)
    saliency.view.maps_needed.emit((LITE0,))  # it brought its own
    saliency.view.depth_needed.emit(-1, "Lite0")
    assert heard.show_depth[-1] is explanation.depths[0]
    assert not saliency.workspace.loader.loading
    assert len(heard.show_maps) == before
    saliency.view.bar.back_requested.emit()
    assert saliency.explanation is None
    saliency.view.maps_needed.emit((LITE0,))
    until(qtbot, lambda: any(LITE0 in maps for maps in heard.show_maps[before:]))


def test_a_run_with_first_results_leaves_the_picture_in_front(
    qtbot, heard, saliency, explanation, explained_window, backend
) -> None:
    saliency.show_explanation(explanation)
    parameters = backend.parse_parameters("saliency", {})
    explained_window.workspace.start_audit("saliency", ("SqueezeNet",), parameters, 1, "auto")
    until(qtbot, lambda: session(explained_window).run_saliency == 4)
    until(qtbot, lambda: heard.show_index[-1].run == 4)
    assert saliency.explanation is explanation
    assert heard.show_explanation[-1] is explanation
    explained_window.commands.show_run(4)
    assert saliency.explanation is None
    until(qtbot, lambda: not explained_window.workspace.jobs.busy)


def choose(panel, form: str) -> None:
    """Pick a kind of file in the menu of a figure."""
    next(action for action in panel.menu.actions() if action.data() == form).trigger()


def test_a_picture_is_exported_as_it_is_shown(
    qtbot, heard, saliency, explanation, tmp_path
) -> None:
    saliency.show_explanation(explanation)
    saliency.view.look.opacity.setValue(80)
    choose(saliency.view.panel, "png")
    dialog = one(qtbot, ExportDialog)
    assert "dog.png" in dialog.windowTitle()
    assert not dialog.run.isVisible()
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    assert dialog.what.currentText() == "Saliency maps of one picture"
    assert dialog.options.values()["opacity"] == "0.8"
    assert dialog.path.text().endswith("scenes-dog-explained.png")
    whole = dialog.preview.picture.toImage()
    models = dialog.options.parameters.field("models")
    models.setText("Lite2")
    until(qtbot, lambda: dialog.preview.picture.toImage() != whole)
    dialog.options.resolution.setValue(100)
    dialog.path.set_text(str(tmp_path / "out.png"))
    until(qtbot, dialog.accept_button.isEnabled)
    with qtbot.waitSignal(dialog.exported):
        dialog.accept_button.click()
    written = QImage(str(tmp_path / "out.png"))
    assert abs(written.width() - 175 / 25.4 * 100) < 2
    provenance = json.loads(written.text("Parallax"))
    assert provenance["picture"]["name"] == "dog.png"
    assert provenance["figure_parameters"]["models"] == "Lite2"
    assert "someone" not in written.text("Parallax")


def test_the_numbers_of_a_picture_are_exported(
    qtbot, heard, saliency, explanation, tmp_path
) -> None:
    saliency.show_explanation(explanation)
    choose(saliency.view.panel, "csv")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.path.set_text(str(tmp_path / "out.csv"))
    with qtbot.waitSignal(dialog.exported):
        dialog.accept_button.click()
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(",dog.png,,Lite0,gradcam,")
    assert lines[2].startswith(",dog.png,,Lite2,gradcam,")


def test_attention_in_a_picture_is_exported(qtbot, heard, saliency, explanation, tmp_path) -> None:
    first = explanation.depths[0]
    both = replace(
        explanation,
        depths=(first, replace(first, model="Lite2")),
        index=replace(explanation.index, depth_models=("Lite0", "Lite2")),
    )
    saliency.show_explanation(both)
    saliency.view.tabs.show_tab("attention")
    panel = saliency.view.tabs.attention
    panel.model.setCurrentIndex(panel.model.findText("Lite2"))
    panel.model.activated.emit(panel.model.currentIndex())
    choose(panel, "svg")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    assert dialog.what.currentText() == "Attention through the layers in one picture"
    assert dialog.options.values()["model"] == "Lite2"
    dialog.path.set_text(str(tmp_path / "out.svg"))
    until(qtbot, dialog.accept_button.isEnabled)
    with qtbot.waitSignal(dialog.exported):
        dialog.accept_button.click()
    assert "Lite2, dog.png" in (tmp_path / "out.svg").read_text(encoding="utf-8")


def test_a_figure_of_a_picture_that_cannot_be_drawn_says_why(
    qtbot, heard, saliency, explanation
) -> None:
    saliency.show_explanation(explanation)
    choose(saliency.view.panel, "svg")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    dialog.options.parameters.field("models").setText("Nobody")
    until(qtbot, lambda: "Nobody" in dialog.preview.text)
    assert dialog.preview.picture.isNull()
    dialog.close()


def test_the_run_is_exported_again_when_the_picture_is_left(
    qtbot, heard, saliency, explanation, explained_window
) -> None:
    saliency.show_explanation(explanation)
    saliency.view.bar.back_requested.emit()
    settled(qtbot, explained_window)
    choose(saliency.view.panel, "svg")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    assert dialog.run.isVisible()
    assert dialog.run.currentData() == 3
    assert dialog.what.currentText() == "Saliency maps"
    dialog.close()


def test_without_any_run_the_menu_exports_the_picture(qtbot, window, tmp_path) -> None:
    with Project.create(tmp_path / "empty.parallax", "empty"):
        pass
    window.commands.open_path(str(tmp_path / "empty.parallax"))
    until(qtbot, lambda: window.workspace.project is not None)
    window.show_perspective("saliency")
    export = window.actions_registry["export-figure"]
    assert not export.isEnabled()
    shown = make_explanation(tmp_path / "a: <b>.png", ("Lite0",))
    window.presenters["saliency"].show_explanation(shown)
    assert export.isEnabled()
    export.trigger()
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: not dialog.preview.picture.isNull())
    assert Path(dialog.path.text()).name == "empty-a_ _b_-explained.svg"
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.close()
    window.show_perspective("concepts")
    assert not export.isEnabled()


def test_closing_the_project_forgets_the_picture(
    qtbot, heard, saliency, explanation, explained_window
) -> None:
    saliency.show_explanation(replace(explanation, name="other"))
    explained_window.workspace.close_project()
    assert saliency.explanation is None
    assert heard.show_explanation[-1] is None
    assert saliency.index is None or saliency.widget.currentWidget() is saliency.empty


def test_the_pair_stands_side_by_side(qtbot, saliency, explained_window) -> None:
    window = explained_window
    window.show_perspective("saliency")
    until(qtbot, lambda: len(saliency.cells) == 2)
    assert [cell.model for cell in saliency.cells] == ["Lite0", "Lite2"]
    window.pair_bar.swap.click()
    until(qtbot, lambda: [cell.model for cell in saliency.cells] == ["Lite2", "Lite0"])
    chosen = saliency.cells
    window.on_pair("Lite2", "SqueezeNet")  # of which there is no map: what is selected stays
    assert saliency.cells == chosen
    assert saliency.view.selection() == chosen


def test_the_second_map_joins_the_first_when_it_comes(
    qtbot, saliency, explained_window, backend, monkeypatch
) -> None:
    """While a run goes on the maps of one model may be there before those of the other."""
    window, read, all_there = explained_window, backend.saliency_index, [False]

    def partly(project, run):
        index = read(project, run)
        if all_there[0]:
            return index
        available = index.available.copy()
        available[:, index.models.index("Lite2")] = False
        return replace(index, available=available)

    monkeypatch.setattr(backend, "saliency_index", partly)
    window.show_perspective("saliency")
    until(qtbot, lambda: [cell.model for cell in saliency.cells] == ["Lite0"])
    all_there[0] = True
    window.workspace.results_changed.emit(frozenset({3}))
    until(qtbot, lambda: [cell.model for cell in saliency.cells] == ["Lite0", "Lite2"])
    saliency.view.cells_selected.emit(saliency.cells[1:])  # chosen by hand: it stays alone
    window.workspace.results_changed.emit(frozenset({3}))
    settled(qtbot, window)
    assert [cell.model for cell in saliency.cells] == ["Lite2"]
