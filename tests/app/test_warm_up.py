"""Views are made ahead, part by part; and 50 projects later nothing has piled up."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from itertools import pairwise
from statistics import median

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.widgets.parts import Parts
from tests.app.steps import until

ROUNDS = 50


@pytest.fixture
def views_ahead() -> bool:
    return True


def test_a_part_is_made_once_and_taken_once(qtbot) -> None:
    keeper = QWidget()
    qtbot.addWidget(keeper)
    parts = Parts(keeper)
    assert parts.make(QLabel)
    assert not parts.make(QLabel)
    made = keeper.findChild(QLabel)
    assert parts.take(QLabel) is made
    other = parts.take(QLabel)
    assert other is not made
    qtbot.addWidget(other)


def test_what_was_made_ahead_shows_with_its_view(qtbot) -> None:
    keeper, view = QWidget(), QWidget()
    qtbot.addWidget(keeper)
    qtbot.addWidget(view)
    keeper.show()
    parts = Parts(keeper)
    parts.make(QLabel)
    label = parts.take(QLabel)
    assert not label.isVisible()
    label.setParent(view)
    view.show()
    label.show()
    assert label.isVisible()
    assert label.window() is view


@pytest.mark.parametrize("name", ["concepts", "units", "saliency", "semantics"])
def test_a_view_uses_what_was_made_ahead(qtbot, window, name) -> None:
    presenter = window.presenters[name]
    made = import_module(presenter.view_module).PARTS
    for _ in made:
        presenter.build_next()
        assert not presenter.built
    ahead = {each: presenter.widget.findChild(each) for each in made}
    assert None not in ahead.values()
    presenter.build_next()
    assert presenter.built
    for kind, part in ahead.items():
        assert presenter.view.findChildren(kind) == [part]


def test_all_views_are_there_a_while_after_a_project_opened(qtbot, open_window) -> None:
    until(qtbot, lambda: all(p.built for p in open_window.presenters.values()))


def test_modules_are_imported_before_a_project_is_read(qtbot, window, project_file) -> None:
    window.warm_up.import_modules()
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: window.workspace.project is not None)
    for presenter in window.presenters.values():
        assert not presenter.view_module or presenter.view_module in sys.modules


def _settle() -> None:
    gc.unfreeze()  # what was set aside counts and is collected like the rest
    for _ in range(2):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()


@pytest.mark.slow
@pytest.mark.no_qt_log  # it would keep every message
def test_fifty_projects_later_nothing_has_piled_up(qtbot, window, project_file) -> None:
    counts = []
    for turn in range(ROUNDS + 3):
        window.commands.open_path(str(project_file))
        if not turn:
            until(qtbot, lambda: all(p.built for p in window.presenters.values()))
        until(qtbot, lambda: window.workspace.session.snapshot.run_concepts is not None)
        for name in window.presenters:
            window.show_perspective(name)
            until(qtbot, lambda: not window.workspace.loader.loading)
        window.workspace.close_project()
        _settle()
        counts.append((len(QApplication.allWidgets()), len(gc.get_objects())))
    widgets, objects = zip(*counts[ROUNDS // 2 :], strict=True)
    assert set(widgets) == {widgets[0]}
    assert median(now - before for before, now in pairwise(objects)) < 3
