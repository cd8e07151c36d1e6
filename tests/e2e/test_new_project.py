"""From an empty window to results: a project, its images, its models, a run."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from analysis.resources import resource_path
from app.backend import Backend
from app.dialogs.run_dialog import RunDialog
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.e2e.beginning import LONG, make_project, plan_run, walk_to_a_concept
from tests.e2e.hands import Hands


def test_from_an_empty_window_to_concepts(hands: Hands, project_file, tmp_path) -> None:
    images = project_file.parent / "pictures"
    make_project(hands, tmp_path / "mine.parallax", images, ("timm:resnet18", "timm:resnet50"))
    workspace = hands.window.workspace
    hands.wait(lambda: workspace.index is not None and len(workspace.index.models) == 2)
    assert workspace.index.path.name == "mine.parallax"
    dialog = plan_run(hands, "Concepts")
    hands.click(dialog.accept_button)
    hands.gone(RunDialog)
    hands.wait(lambda: [run.state for run in workspace.index.runs] == ["done"])
    hands.tab("Concepts")
    hands.wait(lambda: workspace.points is not None and len(workspace.points.concept_id) == 18)
    detail = walk_to_a_concept(hands)
    assert detail.top
    shown = [label.text() for label in hands.window.inspector.findChildren(QLabel)]
    assert any(detail.class_name in text for text in shown)


@pytest.mark.slow
def test_real_networks_from_an_empty_window_to_concepts(qtbot, tmp_path) -> None:
    images = tmp_path / "scenes"
    for label in ("boat", "house"):
        (images / label).mkdir(parents=True)
        for picture in sorted((resource_path("sample", "images") / label).glob("*.jpg"))[:14]:
            shutil.copy(picture, images / label / picture.name)
    window = MainWindow(Workspace(Backend()))
    window.show()
    hands = Hands(qtbot, window)
    networks = ("sample:pink-sensitive", "sample:pink-invariant")
    make_project(hands, tmp_path / "real.parallax", images, networks)
    workspace = window.workspace
    hands.wait(lambda: workspace.index is not None and len(workspace.index.models) == 2, LONG)
    hands.wait(lambda: not workspace.jobs.busy, LONG)
    dialog = plan_run(hands, "Concepts")
    dialog.parameters.set_value("minimum_images", 8)
    dialog.parameters.set_value("components", 3)
    hands.wait(dialog.accept_button.isEnabled, LONG)
    hands.click(dialog.accept_button)
    hands.wait(lambda: [run.state for run in workspace.index.runs] == ["done"], LONG)
    hands.tab("Concepts")
    hands.wait(lambda: workspace.points is not None and len(workspace.points.concept_id) == 12)
    detail = walk_to_a_concept(hands)
    assert {patch.image for patch in detail.top} <= set(range(1, 29))
    window.close()
    hands.wait(lambda: not workspace.running, LONG)
    window.deleteLater()
    QApplication.processEvents()
