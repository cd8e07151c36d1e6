"""Esc goes back, step by step, to what was shown before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.e2e.hands import Hands


def test_back_through_perspectives_and_classes(at_work: Hands) -> None:
    window, workspace = at_work.window, at_work.window.workspace
    at_work.wait(lambda: workspace.points is not None)
    at_work.tab("Layers")
    at_work.wait(lambda: window.presenters["layers"].view.isVisible())
    at_work.tab("Concepts")
    at_work.wait(lambda: window.pair_bar.class_name.count() == 4)
    box = window.pair_bar.class_name
    at_work.write(box.lineEdit(), "mammal")
    QTest.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    at_work.wait(lambda: workspace.session.snapshot.class_name == "mammal")
    at_work.key("Esc")
    at_work.wait(lambda: workspace.session.snapshot.class_name is None)
    assert window.perspective == "concepts"
    at_work.key("Esc")
    at_work.wait(lambda: window.perspective == "layers")
    at_work.key("Esc")
    at_work.wait(lambda: window.perspective == "concepts")


def test_swapping_is_a_step_too(at_work: Hands) -> None:
    workspace = at_work.window.workspace
    pair = (workspace.session.snapshot.model_a, workspace.session.snapshot.model_b)
    at_work.key("Ctrl+T")
    at_work.wait(lambda: workspace.session.snapshot.model_a == pair[1])
    at_work.key("Esc")
    at_work.wait(lambda: workspace.session.snapshot.model_a == pair[0])
    assert workspace.session.snapshot.model_b == pair[1]
