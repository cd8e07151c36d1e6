"""The LCE authors' tables, from the menu to the published coordinates."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.backend import Backend
from app.dialogs.import_dialog import ImportDialog
from app.dialogs.run_dialog import RunDialog
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.app.steps import one, until, visible

LONG = 60_000


@pytest.fixture
def real_window(qtbot):
    """The window with the real analysis."""
    window = MainWindow(Workspace(Backend()))
    window.show()
    yield window
    qtbot.waitUntil(lambda: not window.workspace.jobs.busy, timeout=LONG)
    window.close()
    until(qtbot, lambda: not window.workspace.running)
    window.deleteLater()
    QApplication.processEvents()


def import_table(qtbot, window, path: Path) -> ImportDialog:
    window.commands.models.import_table(str(path))
    dialog = one(qtbot, ImportDialog)
    until(qtbot, dialog.accept_button.isEnabled)
    dialog.accept_button.click()
    until(qtbot, lambda: "taken in as run" in dialog.contents.text())
    return dialog


@pytest.mark.shared
@pytest.mark.slow
def test_imported_tables_give_the_published_embedding(qtbot, real_window, shared, tmp_path) -> None:
    window, folder = real_window, shared / "data" / "lce"
    window.workspace.create(tmp_path / "lce.parallax")
    until(qtbot, lambda: window.workspace.index is not None)
    import_table(qtbot, window, folder / "models_performance_on_tasks.csv").reject()
    until(qtbot, lambda: not visible(ImportDialog))
    dialog = import_table(qtbot, window, folder / "models_dissect_profiles_raw.csv")
    assert "1,344 units marked and not counted" in dialog.contents.text()
    until(qtbot, lambda: len(window.workspace.index.dissected) == 20)
    dialog.embed.click()
    plan = one(qtbot, RunDialog)
    plan.parameters.set_value("preset", "paper")
    until(qtbot, plan.accept_button.isEnabled)
    plan.accept_button.click()
    window.show_perspective("embedding")
    presenter = window.presenters["embedding"]
    qtbot.waitUntil(lambda: presenter.models != (), timeout=LONG)
    points = window.presenters["embedding"].view._points
    with (folder / "published_lce_coordinates.csv").open(encoding="utf-8") as file:
        published = {row["model"]: row for row in csv.DictReader(file)}
    at = [points.models.index(name) for name in published]
    wanted = np.array([[float(row[f"pca{c}"]) for c in (1, 2, 3)] for row in published.values()])
    found = points.points[at]
    np.testing.assert_allclose(found * np.sign(found[0] * wanted[0]), wanted, atol=1e-9)
    shares = np.round(100 * points.explained_variance, 2)
    assert shares.tolist() == [60.67, 17.70, 10.54]
    assert set(points.group) - {""} == {"A", "B", "C"}
    panel = presenter.view.scatter
    presenter.view.task_requested.emit(panel.task.itemText(1))
    until(qtbot, lambda: panel._surface is not None)
    assert panel._surface.task == panel.task.currentText() == panel.task.itemText(1)
    assert np.isfinite(panel._surface.value).all()
