"""Maps, curves and steps from the menu on; and a picture dropped on the window. Real networks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication

from analysis.audits import intake
from analysis.progress import Progress
from analysis.project import Project
from analysis.resources import resource_path
from app.backend import Backend
from app.dialogs.run_dialog import RunDialog
from app.main_window import MainWindow
from app.widgets.heat_pictures import pixels_of
from app.workspace import Workspace
from tests.app.steps import one

LONG = 120_000
BOATS = resource_path("sample", "images") / "boat"


@pytest.fixture
def boats(tmp_path: Path) -> Path:
    """A project with six boats and two networks."""
    folder = tmp_path / "images" / "boat"
    folder.mkdir(parents=True)
    for picture in sorted(BOATS.glob("*.jpg"))[:6]:
        shutil.copy(picture, folder / picture.name)
    path = tmp_path / "boats.parallax"
    with Project.create(path, "boats") as project:
        intake.add_images(project, "boats", folder.parent, Progress())
        for name in ("pink-sensitive", "vit"):
            intake.add_model(project, name, f"sample:{name}", Progress())
    return path


@pytest.fixture
def window(qtbot, boats: Path):
    made = MainWindow(Workspace(Backend()))
    made.show()
    made.commands.open_path(str(boats))
    qtbot.waitUntil(lambda: made.workspace.index is not None, timeout=LONG)
    yield made
    qtbot.waitUntil(lambda: not made.workspace.jobs.busy, timeout=LONG)
    made.close()
    qtbot.waitUntil(lambda: not made.workspace.running, timeout=LONG)
    made.deleteLater()
    QApplication.processEvents()


@pytest.mark.slow
def test_images_are_explained_and_a_curve_is_walked_along(qtbot, window) -> None:
    window.actions_registry["explain-images"].trigger()
    dialog = one(qtbot, RunDialog)
    for name, value in (
        ("methods", "gradcam,rollout,random"),
        ("metrics", "insertion,deletion,sparseness"),
        ("steps", 8),
        ("mask", ""),
    ):
        dialog.parameters.set_value(name, value)
    qtbot.waitUntil(dialog.accept_button.isEnabled, timeout=LONG)
    dialog.accept_button.click()
    qtbot.waitUntil(
        lambda: [run.state for run in window.workspace.index.runs] == ["done"], timeout=LONG
    )
    window.show_perspective("saliency")
    presenter = window.presenters["saliency"]
    qtbot.waitUntil(
        lambda: presenter.index is not None and len(presenter.view.selection()) == 2, timeout=LONG
    )
    view = presenter.view
    assert presenter.index.models == ("pink-sensitive", "vit")
    assert presenter.index.available.sum() == 6 * (2 + 3)  # rollout needs attention
    qtbot.waitUntil(lambda: len(view.grid.grid_model.maps) >= 2, timeout=LONG)
    view.tabs.show_tab("curves")
    curves = view.tabs.curves
    qtbot.waitUntil(lambda: curves.picture.pixmap() is not None, timeout=LONG)
    begin = pixels_of(curves.picture.pixmap().toImage())
    assert begin.shape == (224, 224, 3)
    plot = curves.plots["deletion"]
    plot.scrubbed.emit("deletion", 1.0)  # the line dragged to the end
    qtbot.waitUntil(
        lambda: bool(np.ptp(pixels_of(curves.picture.pixmap().toImage()), axis=(0, 1)).max() == 0),
        timeout=LONG,  # all of it is mean grey
    )


@pytest.mark.slow
def test_a_dropped_picture_is_explained_without_a_run(qtbot, window) -> None:
    picture = sorted(BOATS.glob("*.jpg"))[-1]
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(picture))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    presenter = window.presenters["saliency"]
    qtbot.waitUntil(lambda: presenter.explanation is not None, timeout=LONG)
    found = presenter.explanation
    assert found.name == picture.name
    assert {one.cell.model for one in found.maps} == {"pink-sensitive", "vit"}
    assert {"gradcam", "rollout", "tibav"} <= {
        one.cell.method for one in found.maps if one.cell.model == "vit"
    }
    assert window.perspective == "saliency"
    assert len(presenter.view.selection()) == 2
