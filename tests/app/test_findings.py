"""Findings in the window: recorded from any view, listed, gone back to, changed, removed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAction, QImage, QPainter
from PySide6.QtWidgets import QApplication, QMessageBox

from analysis.project import Project
from analysis.project.findings import Finding
from app import widget_states
from app.dialogs.export_dialog import ExportDialog
from app.dialogs.finding_dialog import FindingDialog
from app.findings_delegate import ENTRY_ROLE, shortened
from app.history import Place
from app.widgets.plot_canvas import PlotCanvas
from tests.app.steps import one, session, until, visible


@pytest.fixture
def full_window(qtbot, window, full_file):
    """A window with results of every audit, run 1 layers to run 7 semantics."""
    window.resize(1500, 950)
    window.commands.open_path(str(full_file))
    until(qtbot, lambda: session(window).run_semantics is not None)
    return window


def _go(qtbot, window, name: str):
    window.show_perspective(name)
    presenter = window.presenters[name]
    until(qtbot, lambda: presenter.widget.currentWidget() is not presenter.empty)
    _settle(qtbot, window)
    return presenter


def _settle(qtbot, window) -> None:
    """Everything that views ask for, some after a pause of their own, has come."""
    presenter = window.presenters[window.perspective]
    QApplication.processEvents()  # what was made just now is shown in the next turn

    def at_rest() -> bool:
        pausing = any(timer.isActive() for timer in presenter.widget.findChildren(QTimer))
        workspace = window.workspace
        return not pausing and not workspace.store.busy and not workspace.loader.loading

    until(qtbot, at_rest)


def _record(qtbot, window, title: str = "") -> int:
    before = len(window.workspace.index.findings)
    window.actions_registry["record-finding"].trigger()
    dialog = one(qtbot, FindingDialog)
    if title:
        dialog.title.setText(title)
    dialog.accept_button.click()
    until(qtbot, lambda: len(window.workspace.index.findings) == before + 1)
    return window.workspace.index.findings[-1].id


def _back(qtbot, window, number: int) -> None:
    window.findings_panel.opened.emit(number)
    restorer = window.commands.findings.restorer
    with qtbot.waitSignal(restorer.finished, timeout=10_000):
        pass
    _settle(qtbot, window)


# -- every perspective comes back ----------------------------------------------------------------
def _zoom(view) -> None:
    plot = next(one for one in view.findChildren(PlotCanvas) if one.isVisible())
    (left, right), (low, high) = plot.view.viewRange()
    middle = (left + right) / 2
    plot.view.setRange(xRange=(left, middle), yRange=(low, (low + high) / 2), padding=0)


def _by_hand(combo, place: int) -> None:
    combo.setCurrentIndex(place)
    combo.activated.emit(place)


def _set_concepts(window, view) -> None:
    window.workspace.session.update(
        {"concept": 5, "selection": frozenset({5, 6}), "class_name": "bird"}
    )
    view.similarity.colouring.setCurrentIndex(0)
    view.table.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    view.concept.panel.table_button.click()


def _set_layers(window, view) -> None:
    _by_hand(view.measure, 2)
    _by_hand(view.axis, 1)
    view.heatmap._go((1, 2))
    _zoom(view)


def _set_units(window, view) -> None:
    view.bar.threshold.setValue(0.1)
    view.bar.interpretable_only.click()
    view.tabs.setCurrentIndex(1)
    view.modes.button(1).click()
    view.larger.click()
    view.table.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)


def _set_embedding(window, view) -> None:
    window.workspace.select_models(("Lite2", "Lite0"), "test")
    view.tabs.show_tab("groups")
    _by_hand(view.scatter.across, 1)
    _by_hand(view.scatter.up, 0)
    view.scatter.names_shown.trigger()
    _zoom(view)


def _set_saliency(window, view) -> None:
    view.bar.group.button(2).click()
    view.look.opacity.setValue(80)
    view.tabs.show_tab("curves")
    view.tabs.curves.with_means.click()
    cells = view.grid.grid_model.plan
    chosen = tuple(cells.cell(row, 0) for row in (1, 0))
    view.grid.selection_changed.emit(chosen)


def _set_semantics(window, view) -> None:
    view.show_tab("layers")
    _by_hand(view.space.chooser.combo, 1)
    _by_hand(view.space.axis, 1)


SETTERS = {
    "concepts": _set_concepts,
    "layers": _set_layers,
    "units": _set_units,
    "embedding": _set_embedding,
    "saliency": _set_saliency,
    "semantics": _set_semantics,
}


@pytest.mark.parametrize("name", SETTERS)
def test_a_finding_brings_back_the_very_same_view(qtbot, full_window, name) -> None:
    window = full_window
    presenter = _go(qtbot, window, name)
    at_first = presenter.view_state()
    SETTERS[name](window, presenter.view)
    _settle(qtbot, window)
    wanted, place = presenter.view_state(), Place(name, session(window)).changes()
    assert wanted != at_first
    number = _record(qtbot, window, "as it was")

    # Everything is set otherwise, and another pair is looked at elsewhere.
    assert widget_states.restore(presenter.view, at_first["controls"])
    _settle(qtbot, window)
    window.show_perspective("welcome")
    window.workspace.set_pair("Lite2", "SqueezeNet", "test")
    window.workspace.session.update({"models": (), "class_name": None, "components": (1, 2)})
    _settle(qtbot, window)
    assert Place(name, session(window)).changes() != place

    _back(qtbot, window, number)
    assert window.perspective == name
    assert Place(name, session(window)).changes() == place
    shown, stored = presenter.view_state()["controls"], wanted["controls"]
    differing = {key for key in stored | shown if stored.get(key) != shown.get(key)}
    scrolled = {key for key in differing if key.endswith("QAbstractScrollArea")}
    plots = differing - scrolled
    assert {key for key in plots if not key.endswith("PlotCanvas")} == set()
    for key in plots:  # ranges follow the size of the plot by a hair
        for now, then in zip(shown[key], stored[key], strict=True):
            assert now == pytest.approx(then, rel=1e-6)
    for key in scrolled:  # what is scrolled may be a little longer or shorter than it was
        assert _share(shown.get(key)) == pytest.approx(_share(stored.get(key)), abs=0.05)


def _share(scroll: list[list[int]] | None) -> float:
    """How far down an area is scrolled; 0 where all of it is seen."""
    return 0.0 if scroll is None else scroll[0][0] / scroll[0][1]


def test_esc_goes_back_from_a_finding(qtbot, full_window) -> None:
    _go(qtbot, full_window, "layers")
    number = _record(qtbot, full_window)
    _go(qtbot, full_window, "units")
    _back(qtbot, full_window, number)
    assert full_window.perspective == "layers"
    full_window.go_back()
    assert full_window.perspective == "units"


def test_who_goes_elsewhere_is_left_alone(qtbot, full_window) -> None:
    _go(qtbot, full_window, "layers")
    number = _record(qtbot, full_window)
    full_window.commands.findings.open(number)
    until(qtbot, lambda: full_window.commands.findings.restorer.active)
    full_window.show_perspective("units")
    until(qtbot, lambda: not full_window.commands.findings.restorer.active)
    assert full_window.perspective == "units"


def test_what_is_gone_is_said(qtbot, full_window) -> None:
    window = full_window
    _go(qtbot, window, "layers")
    number = _record(qtbot, window, "odd layers")
    window.workspace.edit("remove_run", 1)
    until(qtbot, lambda: window.workspace.run(1) is None)
    window.commands.findings.open(number)
    box = one(qtbot, QMessageBox)
    assert "odd layers" in box.text()
    assert "run “layers Lite0” was removed" in box.informativeText()
    until(qtbot, lambda: window.perspective == "layers")


def test_a_state_from_somewhere_else_does_no_harm(qtbot, full_window) -> None:
    window = full_window
    presenter = _go(qtbot, window, "concepts")
    window.workspace.session.update({"concept": None})  # its panel may show a plot or its table
    keys = presenter.view_state()["controls"]
    for value in (None, 7, "x", [1], [[1, None]], {"sort": [3, 4], "limits": 5}, [["x"]], True):
        controls = dict.fromkeys(keys, value)
        state = {"session": {}, "view": {"controls": controls}}
        finding = Finding("odd", perspective="concepts", view_state=state)
        number = window.workspace.project.add_finding(finding)
        _back(qtbot, window, number)
    assert presenter.view_state()["controls"].keys() == keys.keys()
    for view in ({"controls": [1, 2]}, {"controls": {"no such control": 3}}, {}):
        finding = Finding("odd", perspective="concepts", view_state={"view": view})
        _back(qtbot, window, window.workspace.project.add_finding(finding))
    number = window.workspace.project.add_finding(Finding("odd", perspective="unheard of"))
    window.findings_panel.opened.emit(number)
    assert "does not have the view" in one(qtbot, QMessageBox).informativeText()


# -- recording -----------------------------------------------------------------------------------
def test_the_dialog_asks_and_keeps(qtbot, full_window) -> None:
    window = full_window
    _go(qtbot, window, "layers")
    window.workspace.set_layers("stem", "block1", "test")
    window.inspector.record.click()
    dialog = one(qtbot, FindingDialog)
    assert dialog.title.text() == "stem of Lite0 and block1 of Lite2"
    dialog.title.setText("   ")
    assert not dialog.accept_button.isEnabled()
    dialog.title.setText("alike from the start")
    dialog.note.setPlainText("Both see edges.")
    dialog.verdict.setCurrentIndex(dialog.verdict.findData("expected"))
    dialog.severity.setCurrentIndex(dialog.severity.findData("low"))
    dialog.tags.setText("edges, , edges, early")
    qtbot.keyClick(dialog.note, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    until(qtbot, lambda: window.workspace.index.findings)
    (found,) = window.workspace.project.findings()
    assert (found.title, found.note) == ("alike from the start", "Both see edges.")
    assert (found.verdict, found.severity, found.tags) == ("expected", "low", ("edges", "early"))
    assert (found.perspective, found.run) == ("layers", 1)
    picture = window.workspace.project.finding_picture(found.id)
    centre = window.centralWidget().size() * window.devicePixelRatioF()
    assert (picture.width, picture.height) == (centre.width(), centre.height())
    assert entry_text(window) == "Findings  1"


def entry_text(window) -> str:
    return window.navigator._sections["findings"].text(0)


def test_the_picture_can_be_left_out(qtbot, open_window) -> None:
    open_window.actions_registry["record-finding"].trigger()
    dialog = one(qtbot, FindingDialog)
    dialog.kept.click()
    dialog.accept_button.click()
    until(qtbot, lambda: open_window.workspace.index.findings)
    assert open_window.workspace.project.finding_picture(1) is None


def test_tags_in_use_are_offered(qtbot, open_window) -> None:
    open_window.workspace.project.add_finding(Finding("x", tags=("background", "text")))
    open_window.workspace.refresh_index()
    until(qtbot, lambda: open_window.workspace.index.findings)
    open_window.actions_registry["record-finding"].trigger()
    tags = one(qtbot, FindingDialog).tags
    tags.setText("odd, ")
    tags.setCursorPosition(5)
    qtbot.keyClicks(tags, "BA")
    completer = tags._completer
    assert completer.currentCompletion() == "background"
    completer.activated.emit("background")
    assert tags.tags() == ("odd", "background")


def test_figures_offer_it_in_their_menus(qtbot, full_window) -> None:
    panel = _go(qtbot, full_window, "layers").view.panel
    panel.menu.aboutToShow.emit()
    panel.menu.aboutToShow.emit()
    names = [action.objectName() for action in panel.menu.actions()]
    assert names.count("record-finding") == 1


def test_a_read_only_project_can_be_looked_at(qtbot, window, project_file) -> None:
    with Project.open(project_file) as project:
        project.add_finding(Finding("there", perspective="layers"))
    window.commands.open_path_read_only(str(project_file))
    until(qtbot, lambda: window.workspace.index is not None)
    panel = window.findings_panel
    until(qtbot, lambda: panel.list.topLevelItemCount() == 1)
    panel.list.topLevelItem(0).setSelected(True)
    for button in (panel.record, panel.edit, panel.remove, window.inspector.record):
        assert not button.isEnabled()
    assert not window.actions_registry["record-finding"].isEnabled()
    window.findings_panel.remove_wished.emit((1,))
    assert panel.export.isEnabled()
    _back(qtbot, window, 1)
    assert window.perspective == "layers"
    assert len(window.workspace.project.findings()) == 1


# -- the panel -----------------------------------------------------------------------------------
@pytest.fixture
def listed(qtbot, open_window):
    """Four findings in the panel."""
    project = open_window.workspace.project
    for number, verdict in enumerate(("expected", "suspicious", "spurious", "needs review")):
        tags = ("even",) if number % 2 == 0 else ()
        finding = Finding(f"finding {number}", verdict=verdict, tags=tags, perspective="layers")
        project.add_finding(finding)
    open_window.workspace.refresh_index()
    open_window.commands.findings.show_panel()
    until(qtbot, lambda: open_window.findings_panel.list.topLevelItemCount() == 4)
    return open_window.findings_panel


def _titles(panel) -> list[str]:
    found = []
    for place in range(panel.list.topLevelItemCount()):
        item = panel.list.topLevelItem(place)
        entry_of = item.data(0, ENTRY_ROLE)
        found.append(item.text(0) if entry_of is None else entry_of.title)
    return found


def test_findings_are_filtered_and_grouped_by_hand(qtbot, listed) -> None:
    assert _titles(listed) == ["finding 3", "finding 2", "finding 1", "finding 0"]
    listed.tag.setCurrentIndex(listed.tag.findData("even"))
    assert _titles(listed) == ["finding 2", "finding 0"]
    qtbot.keyClicks(listed.words, "nothing like it")
    assert listed.stack.currentWidget() is listed.nothing
    listed.nothing.button.click()
    listed.order.setCurrentIndex(listed.order.findData("title"))
    assert _titles(listed)[0] == "finding 0"
    listed.group.setCurrentIndex(listed.group.findData("verdict"))
    assert _titles(listed)[0] == "✓ expected  1"
    assert listed.list.topLevelItem(0).child(0).data(0, ENTRY_ROLE).title == "finding 0"


def test_keys_walk_open_edit_and_remove(qtbot, open_window, listed) -> None:
    listed.list.setCurrentItem(listed.list.topLevelItem(0))
    qtbot.keyClick(listed.list, Qt.Key.Key_Down)
    assert listed.selected() == (3,)
    with qtbot.waitSignal(listed.opened) as opened:
        qtbot.keyClick(listed.list, Qt.Key.Key_Return)
    assert opened.args == [3]
    qtbot.keyClick(listed.list, Qt.Key.Key_F2)
    dialog = one(qtbot, FindingDialog)
    dialog.title.setText("renamed")
    dialog.accept_button.click()
    until(qtbot, lambda: "renamed" in _titles(listed))
    assert listed.selected() == (3,)
    qtbot.keyClick(listed.list, Qt.Key.Key_Delete)
    until(qtbot, lambda: listed.list.topLevelItemCount() == 3)
    for _ in range(2):
        open_window.actions_registry["undo"].trigger()
    until(qtbot, lambda: _titles(listed)[1] == "finding 2")


def test_a_click_goes_there_and_several_do_not(qtbot, listed) -> None:
    items = [listed.list.topLevelItem(place) for place in range(2)]
    where = [listed.list.visualItemRect(item).center() for item in items]
    left, control = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
    heard: list[int] = []
    listed.opened.connect(heard.append)
    qtbot.mouseClick(listed.list.viewport(), left, pos=where[0])
    qtbot.mouseClick(listed.list.viewport(), left, control, where[1])
    assert heard == [4]
    assert listed.selected() == (4, 3)
    menu = listed.menu()
    assert [action.isEnabled() for action in menu.actions()] == [False, False, True]
    menu.deleteLater()


def test_pictures_are_asked_for_where_they_are_seen(qtbot, open_window) -> None:
    _record(qtbot, open_window)
    panel = open_window.findings_panel
    assert not panel.delegate.pictures  # hidden behind the inspector
    open_window.navigator.itemClicked.emit(open_window.navigator._sections["findings"], 0)
    until(qtbot, lambda: 1 in panel.delegate.pictures)
    assert not panel.delegate.pictures[1].isNull()
    open_window.actions_registry["undo"].trigger()
    until(qtbot, lambda: panel.list.topLevelItemCount() == 0)
    assert not panel.delegate.pictures
    open_window.actions_registry["redo"].trigger()
    until(qtbot, lambda: 1 in panel.delegate.pictures)


def test_findings_are_exported_as_a_table(qtbot, open_window, listed, tmp_path) -> None:
    listed.export.click()
    dialog = one(qtbot, ExportDialog)
    until(qtbot, lambda: dialog.what.count() > 0)
    assert dialog.what.currentData().name == "finding"
    assert dialog.run.currentData() is None
    dialog.path.set_text(str(tmp_path / "findings.csv"))
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept()
    until(qtbot, (tmp_path / "findings.csv").exists)
    assert "finding 2" in (tmp_path / "findings.csv").read_text()


def test_another_project_has_its_own_findings(qtbot, open_window, listed, tmp_path) -> None:
    open_window.workspace.create(tmp_path / "other.parallax")
    until(qtbot, lambda: listed.stack.currentWidget() is listed.empty)
    assert entry_text(open_window) == "Findings"
    assert not visible(FindingDialog)


def test_the_empty_panel_says_what_will_be_there(qtbot, open_window) -> None:
    panel = open_window.findings_panel
    open_window.commands.findings.show_panel()
    assert panel.stack.currentWidget() is panel.empty
    panel.empty.button.click()
    one(qtbot, FindingDialog).reject()
    assert isinstance(open_window.findChild(QAction, "show-findings"), QAction)
    assert panel.list.entries_in_view() == []
    assert panel.list.itemAt(QPoint(1, 1)) is None


def test_a_title_of_one_long_word_is_cut_with_dots(qapp) -> None:
    picture = QImage(200, 60, QImage.Format.Format_ARGB32)
    with QPainter(picture) as painter:
        area = QRect(0, 0, 200, 2 * painter.fontMetrics().height())
        word = shortened(painter, "x" * 150, area)
        assert word.endswith("…")
        assert painter.fontMetrics().horizontalAdvance(word) <= area.width()
        assert shortened(painter, "two words", area) == "two words"
