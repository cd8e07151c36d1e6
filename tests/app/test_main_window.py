"""The window end to end, with a fake analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from analysis.errors import AuditError
from analysis.project import Project
from app import settings, theme
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.images_dialog import ImagesDialog
from app.dialogs.model_dialog import ModelDialog
from app.dialogs.palette import CommandPalette
from app.dialogs.project_dialog import ProjectDialog
from app.dialogs.prompts import NameDialog, Question
from app.dialogs.run_dialog import RunDialog
from app.main_window import MainWindow
from app.navigator import ID_ROLE, KIND_ROLE
from app.workspace import Workspace

WAIT = 10_000


def until(qtbot, condition) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT)


def visible(kind: type[QWidget]) -> list:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def one(qtbot, kind: type[QWidget]):
    until(qtbot, lambda: len(visible(kind)) == 1)
    return visible(kind)[0]


def session(window: MainWindow):
    return window.workspace.session.snapshot


def entry(window: MainWindow, kind: str, number: object):
    for top in range(window.navigator.topLevelItemCount()):
        section = window.navigator.topLevelItem(top)
        for item in [section.child(row) for row in range(section.childCount())]:
            if (item.data(0, KIND_ROLE), item.data(0, ID_ROLE)) == (kind, number):
                return item
    raise LookupError(number)


def label(window: MainWindow, kind: str, number: object) -> str:
    """The text of an entry; empty while it is not listed yet."""
    try:
        return entry(window, kind, number).text(0)
    except LookupError:
        return ""


def start_run(qtbot, window: MainWindow, backend, model_b: str = "Lite2") -> int:
    parameters = backend.parse_parameters("concepts", {})
    window.workspace.start_audit("concepts", "Lite0", model_b, parameters, 1, "auto")
    until(qtbot, lambda: len(window.workspace.jobs.records()) > 0)
    return window.workspace.jobs.records()[-1].run


# -- start -------------------------------------------------------------------------------------
def test_empty_window_offers_a_beginning(window) -> None:
    assert window.windowTitle() == "Parallax"
    assert window.perspective == "welcome"
    assert not window.pair_bar.isVisible()
    for name in ("run-audit", "close", "export-figure", "add-images", "cancel", "back"):
        assert not window.actions_registry[name].isEnabled()
    for name in ("new", "open", "sample", "palette"):
        assert window.actions_registry[name].isEnabled()


@pytest.mark.parametrize("name", ["layers", "concepts"])
def test_empty_perspectives_lead_on(qtbot, window, name) -> None:
    window.show_perspective(name)
    presenter = window.presenters[name]
    assert presenter.widget.currentWidget() is presenter.empty
    assert presenter.empty.button.text() == "Open…"


def test_opening_shows_project_pair_and_results(qtbot, open_window) -> None:
    window = open_window
    assert "scenes.parallax" in window.windowTitle()
    assert settings.recent_projects()[0].name == "scenes.parallax"
    assert window.pair_bar.model_a.currentText() == "Lite0"
    assert entry(window, "model", "Lite0").text(0) == "● Lite0  (A)"
    assert entry(window, "run", 2).text(0).startswith("✓")
    window.show_perspective("layers")
    layers = window.presenters["layers"]
    until(qtbot, lambda: layers.widget.currentWidget() is not layers.empty)
    assert layers.view.data.layers_a[0] == "stem"
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    until(qtbot, lambda: window.pair_bar.class_name.count() == 4)


def test_sample_from_the_menu(qtbot, window, backend, tmp_path) -> None:
    window.commands.open_sample(tmp_path / "sample.parallax")
    until(qtbot, lambda: backend.executed == [1, 2])
    until(qtbot, lambda: session(window).run_layers == 2)


# -- linked selection --------------------------------------------------------------------------
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
    until(qtbot, lambda: window.inspector.image.isVisible())
    assert "under-predicted" in window.inspector.caption.text()
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


# -- runs --------------------------------------------------------------------------------------
def test_results_appear_while_the_run_goes_on(qtbot, open_window, backend) -> None:
    window = open_window
    window.show_perspective("concepts")
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: session(window).run_concepts == run)
    until(qtbot, lambda: window.workspace.points is not None)
    until(qtbot, lambda: set(window.workspace.points.class_name) == {"bird"})
    assert window.workspace.jobs.busy
    assert "a fake processor" in window.status_line.machine.text()
    assert window.workspace.jobs.of_run(run).title == "concepts Lite0"
    assert label(window, "run", run).startswith("◐")
    assert window.actions_registry["cancel"].isEnabled()
    backend.gate.set()
    until(qtbot, lambda: not window.workspace.jobs.busy)
    until(qtbot, lambda: len(set(window.workspace.points.class_name)) == 3)
    until(qtbot, lambda: label(window, "run", run).startswith("✓"))
    assert not window.actions_registry["cancel"].isEnabled()


def test_cancel_and_resume_from_the_menus(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: window.workspace.run(run) and window.workspace.run(run).units_done == 1)
    window.actions_registry["cancel"].trigger()
    until(qtbot, lambda: label(window, "run", run).startswith("◌"))
    menu = window.navigator.menu_for(entry(window, "run", run))
    enabled = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert enabled["resume-run"]
    assert not enabled["cancel-run"]
    menu.close()
    backend.gate.set()
    until(qtbot, window.actions_registry["resume"].isEnabled)
    window.actions_registry["resume"].trigger()
    until(qtbot, lambda: window.workspace.run(run).state == "done")


def test_failed_run_is_said_with_its_hint(qtbot, open_window, backend) -> None:
    backend.fail_with = AuditError("The weights are gone.", "Put them back.")
    run = start_run(qtbot, open_window, backend)
    box = one(qtbot, QMessageBox)
    assert (box.text(), box.informativeText()) == ("The weights are gone.", "Put them back.")
    box.close()
    until(qtbot, lambda: label(open_window, "run", run).startswith("✕"))


def test_unexpected_failure_offers_details(qtbot, open_window, backend) -> None:
    backend.fail_with = ZeroDivisionError("inner workings")
    start_run(qtbot, open_window, backend)
    box = one(qtbot, QMessageBox)
    assert "inner workings" not in box.text()
    assert "ZeroDivisionError" in box.detailedText()
    box.close()


# -- navigator ---------------------------------------------------------------------------------
def test_renaming_and_removing(qtbot, open_window) -> None:
    window = open_window
    window.entry_commands.do("rename-model", "model", "Lite0")
    dialog = one(qtbot, NameDialog)
    dialog.name.setText("Lite zero")
    dialog.accept_button.click()
    until(qtbot, lambda: window.pair_bar.model_a.currentText() == "Lite zero")
    window.entry_commands.do("remove-run", "run", 1)
    one(qtbot, Question).go_back.click()
    assert window.workspace.run(1) is not None
    window.entry_commands.do("remove-run", "run", 1)
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.run(1) is None)


def test_every_menu_entry_has_an_answer(open_window) -> None:
    from app.navigator import _MENUS

    known = {d.id for d in open_window.actions_registry.definitions()}
    known |= open_window.entry_commands.intents()
    assert {intent for entries in _MENUS.values() for intent, _text in entries} <= known
    assert set(open_window.commands._actions) == {
        d.id for d in open_window.actions_registry.definitions()
    }


def test_read_only_project_offers_no_edits(qtbot, window, project_file) -> None:
    window.commands.open_path_read_only(str(project_file))
    until(qtbot, lambda: session(window).run_concepts is not None)
    assert "read-only" in window.windowTitle()
    for name in ("run-audit", "add-images", "add-model", "resume"):
        assert not window.actions_registry[name].isEnabled()
    menu = window.navigator.menu_for(entry(window, "model", "Lite0"))
    enabled = {a.data()[0]: a.isEnabled() for a in menu.actions()}
    assert not enabled["rename-model"]
    assert enabled["show-as-b"]
    menu.close()
    window.commands.add_images()
    box = one(qtbot, QMessageBox)
    assert "read-only" in box.text()
    box.close()


def test_details_from_the_navigator(qtbot, open_window) -> None:
    from app.dialogs.details import DetailsDialog

    for intent, kind, number, words in (
        ("model-details", "model", "Lite0", "head.weight"),
        ("run-details", "run", 2, "broken.jpg: damaged"),
        ("image-set-details", "image set", 1, "The file ends too early."),
    ):
        open_window.entry_commands.do(intent, kind, number)
        dialog = one(qtbot, DetailsDialog)
        assert words in dialog.text.toPlainText()
        dialog.close()
        until(qtbot, lambda: not visible(DetailsDialog))


# -- files -------------------------------------------------------------------------------------
def test_project_in_use_is_offered_read_only(qtbot, window, project_file) -> None:
    with Project.open(project_file):
        window.commands.open_path(str(project_file))
        question = one(qtbot, Question)
        assert question.go_on.text() == "Open read-only"
        question.go_on.click()
        until(qtbot, lambda: session(window).run_concepts is not None)
    assert not window.workspace.writable


def test_damaged_project_is_offered_to_be_saved(qtbot, window, project_file) -> None:
    data = bytearray(project_file.read_bytes())
    data[3 * 16384 : 5 * 16384] = bytes(2 * 16384)
    project_file.write_bytes(data)
    window.commands.open_path(str(project_file))
    question = one(qtbot, Question)
    assert "read" in question.go_on.text()
    question.go_on.click()
    until(qtbot, lambda: window.workspace.project is not None)
    assert window.workspace.project.path.name == "scenes (saved).parallax"
    assert project_file.read_bytes() == bytes(data)


def test_no_project_file(qtbot, window, tmp_path) -> None:
    wrong = tmp_path / "x.parallax"
    wrong.write_bytes(b"\x00" * 5000)
    window.commands.open_path(str(wrong))
    box = one(qtbot, QMessageBox)
    assert "x.parallax" in box.text()
    box.close()
    assert window.workspace.project is None


def test_new_project_from_the_dialog(qtbot, window, tmp_path) -> None:
    window.actions_registry["new"].trigger()
    dialog = one(qtbot, ProjectDialog)
    dialog.path.set_text(str(tmp_path / "mine"))
    dialog.accept_button.click()
    until(qtbot, lambda: window.workspace.project is not None)
    until(qtbot, lambda: not visible(ProjectDialog))
    assert (tmp_path / "mine.parallax").is_file()


def _drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def test_dropping_project_folder_and_checkpoint(qtbot, window, project_file, tmp_path) -> None:
    _drop(window, project_file)
    until(qtbot, lambda: session(window).run_concepts is not None)
    _drop(window, tmp_path)
    dialog = one(qtbot, ImagesDialog)
    assert dialog.source.text() == str(tmp_path)
    dialog.close()
    until(qtbot, lambda: not visible(ImagesDialog))
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"x")
    _drop(window, weights)
    model = one(qtbot, ModelDialog)
    assert model.fields.weights.text() == str(weights)
    model.close()


def test_export_of_what_a_view_shows(qtbot, open_window) -> None:
    open_window.show_perspective("layers")
    view = open_window.presenters["layers"].view
    until(qtbot, lambda: view.data is not None)
    view.export_requested.emit("layers", "pdf")
    dialog = one(qtbot, ExportDialog)
    until(qtbot, dialog.accept_button.isEnabled)
    assert dialog.what.currentData().name == "layers"
    assert dialog.path.text().endswith(".pdf")
    dialog.close()


# -- palette, theme, layout --------------------------------------------------------------------
def test_palette_finds_commands_models_and_concepts(qtbot, open_window) -> None:
    window = open_window
    window.show_perspective("concepts")
    until(qtbot, lambda: window.workspace.points is not None)
    window.actions_registry["palette"].trigger()
    palette = one(qtbot, CommandPalette)
    palette.edit.setText("concept 2 lite2 mammal")
    assert palette.found()[0].text == "concept 2 of Lite2 · mammal"
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    until(qtbot, lambda: window.workspace.focus.detail is not None)
    detail = window.workspace.focus.detail
    assert (detail.target_model, detail.class_name, detail.concept) == ("Lite2", "mammal", 1)


def test_theme_is_remembered(qtbot, window) -> None:
    window.actions_registry["theme-dark"].trigger()
    assert theme.theme().dark
    assert settings.scheme() == "dark"
    assert window.actions_registry["theme-dark"].isChecked()
    assert not window.actions_registry["theme-system"].isChecked()
    window.actions_registry["theme-light"].trigger()
    assert not theme.theme().dark


def test_layout_is_remembered_and_reset(qtbot, window, backend) -> None:
    window.docks["inspector"].hide()
    window.close()
    until(qtbot, lambda: not window.workspace.running)
    again = MainWindow(Workspace(backend))
    again.show()
    assert not again.docks["inspector"].isVisible()
    again.actions_registry["reset-layout"].trigger()
    assert again.docks["inspector"].isVisible()
    again.close()
    until(qtbot, lambda: not again.workspace.running)


def test_damaged_settings_do_no_harm(qtbot, window) -> None:
    stored = settings.open_settings()
    for key in ("geometry", "state", "recent", "scheme"):
        stored.setValue(key, "rubbish")
    stored.sync()
    assert settings.scheme() == "system"
    assert settings.recent_projects() == []
    again = MainWindow(Workspace(window.workspace.backend))
    again.show()
    again.close()
    assert not again.workspace.running


def test_diagnostics_name_versions_and_nothing_private(open_window) -> None:
    open_window.actions_registry["diagnostics"].trigger()
    text = QGuiApplication.clipboard().text()
    assert "PySide6" in text
    assert "torch" in text
    assert "runs: done, done" in text
    assert "Lite0" not in text


def test_every_control_has_an_accessible_name(qtbot, open_window) -> None:
    open_window.docks["jobs"].show()
    unnamed = []
    for part in (
        open_window.pair_bar,
        open_window.navigator,
        open_window.jobs_panel,
        open_window.status_line,
        open_window.inspector,
    ):
        for child in [part, *part.findChildren(QWidget)]:
            inner = child.objectName().startswith("qt_") or child.window() is not open_window
            inner = inner or isinstance(child.parent(), QComboBox)
            named = child.accessibleName() or (isinstance(child, QAbstractButton) and child.text())
            if inner or not isinstance(
                child, (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView)
            ):
                continue
            if "Header" in type(child).__name__ or "CompleterView" in type(child).__name__:
                continue
            if not named:
                unnamed.append(child)
    assert unnamed == []


def test_shortcuts_are_unique(window) -> None:
    keys = [a.shortcut().toString() for a in window.actions_registry.actions()]
    keys += [d.toggleViewAction().shortcut().toString() for d in window.docks.values()]
    used = [key for key in keys if key]
    assert len(used) == len(set(used))


# -- end ---------------------------------------------------------------------------------------
def test_closing_while_a_job_runs_asks_and_waits(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    start_run(qtbot, window, backend)
    assert not window.close()
    question = one(qtbot, Question)
    question.go_back.click()
    assert window.isVisible()
    assert window.workspace.jobs.busy
    assert not window.close()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: not window.isVisible())
    assert not window.workspace.running
    assert window.workspace.project is None


def test_closing_the_project_while_a_job_runs_asks(qtbot, open_window, backend) -> None:
    window = open_window
    backend.gate.clear()
    start_run(qtbot, window, backend)
    window.actions_registry["close"].trigger()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.project is None)
    assert window.perspective == "welcome"
    assert window.isVisible()


def test_the_killed_run_can_be_resumed_after_reopening(qtbot, open_window, backend) -> None:
    window = open_window
    path = window.workspace.project.path
    backend.gate.clear()
    run = start_run(qtbot, window, backend)
    until(qtbot, lambda: window.workspace.run(run) and window.workspace.run(run).units_done == 1)
    window.actions_registry["close"].trigger()
    one(qtbot, Question).go_on.click()
    until(qtbot, lambda: window.workspace.project is None)
    backend.gate.set()
    window.commands.open_path(str(path))
    until(qtbot, lambda: window.workspace.run(run) is not None)
    assert window.workspace.run(run).state == "cancelled"
    until(qtbot, window.actions_registry["resume"].isEnabled)
    window.actions_registry["resume"].trigger()
    until(qtbot, lambda: window.workspace.run(run).units_done == 3)


def test_nothing_is_left_behind(qtbot, backend, project_file) -> None:
    from PySide6.QtCore import QThread, QTimer

    window = MainWindow(Workspace(backend))
    window.show()
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_concepts is not None)
    window.show_perspective("concepts")
    lanes = window.workspace._lanes()
    threads: list[QThread] = [lane._thread for lane in lanes]
    window.close()
    until(qtbot, lambda: not window.workspace.running)
    assert all(thread.isFinished() for thread in threads)
    window.deleteLater()
    with qtbot.waitSignal(window.destroyed, timeout=WAIT):
        pass
    left = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert left == []
    application = QApplication.instance()
    assert [t for t in application.findChildren(QTimer) if t.isActive()] == []
    assert not project_file.with_name("scenes.parallax-wal").exists()
