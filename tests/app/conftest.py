"""Project files with made-up results, and windows that show them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from analysis.project import Project
from app import warm_up
from app.lanes import Lane
from app.main_window import MainWindow
from app.workspace import Workspace
from tests.app.fake_backend import (
    CLASSES,
    MODELS,
    WAIT,
    FakeBackend,
    add_contents,
    add_pending_run,
    commit_class,
)
from tests.app.made_results import (
    add_dissection,
    add_embedding,
    add_evaluation,
)
from tests.app.made_saliency import add_saliency
from tests.app.made_semantics import add_semantics
from tests.left_behind import check


@pytest.fixture(autouse=True)
def own_settings(isolated_home: Path) -> None:
    """Settings of this test alone: Qt asks for the home folder only once."""
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(isolated_home / "settings")
    )


@pytest.fixture(autouse=True)
def nothing_is_left_behind(isolated_home: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves threads, ticking timers or windows behind; see `left_behind`."""
    yield from check(request)


@pytest.fixture(scope="session")
def project_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project, its images and one finished run of each audit."""
    folder = tmp_path_factory.mktemp("made") / "template"
    folder.mkdir()
    with Project.create(folder / "scenes.parallax", "scenes") as project:
        add_contents(project, folder)
        for audit in ("layers", "concepts"):
            run = add_pending_run(project, audit, "Lite0", "Lite2", {})
            for name in CLASSES:
                commit_class(project, run, name)
            project.set_run_state(run, "done")
    # Moved, so that no copy finds its images by the absolute path of the template.
    return folder.rename(folder.with_name("moved"))


@pytest.fixture
def project_file(project_template: Path, tmp_path: Path) -> Path:
    """A project of this test alone."""
    shutil.copytree(project_template, tmp_path, dirs_exist_ok=True)
    return tmp_path / "scenes.parallax"


@pytest.fixture(scope="session")
def with_more(
    project_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Callable[[Project], object], Path], Path]:
    """Puts the made-up project with more results in place of a copy of it; they are made once."""
    made: dict[Callable[[Project], object], Path] = {}

    def put(add: Callable[[Project], object], file: Path) -> Path:
        if add not in made:
            made[add] = tmp_path_factory.mktemp("more") / file.name
            shutil.copy2(project_template / file.name, made[add])
            with Project.open(made[add]) as project:
                add(project)
        shutil.copy2(made[add], file)
        return file

    return put


def _add_to_models(project: Project) -> None:
    add_dissection(project, MODELS)
    add_evaluation(project, MODELS)
    add_embedding(project, MODELS)


def _add_explained(project: Project) -> None:
    add_saliency(project, MODELS[:2])


def _add_compared(project: Project) -> None:
    add_semantics(project, MODELS[0], MODELS[1])


def add_everything(project: Project) -> None:
    _add_to_models(project)
    _add_explained(project)
    _add_compared(project)


@pytest.fixture
def dissected_file(project_file: Path, with_more: Any) -> Path:
    """The same with its models dissected, evaluated and embedded: runs 3, 4 and 5."""
    return with_more(_add_to_models, project_file)


@pytest.fixture
def explained_file(project_file: Path, with_more: Any) -> Path:
    """The project with three of its six images explained by two of its models: run 3."""
    return with_more(_add_explained, project_file)


@pytest.fixture
def compared_file(project_file: Path, with_more: Any) -> Path:
    """The project with its first two models compared by concepts: run 3."""
    return with_more(_add_compared, project_file)


@pytest.fixture
def full_file(project_file: Path, with_more: Any) -> Path:
    """The project with results of every audit, run 1 layers to run 7 semantics."""
    return with_more(add_everything, project_file)


_PAUSES = (  # milliseconds after a change, for somebody who types or drags
    "app.dialogs.export_dialog._PREVIEW_DELAY_MS",
    "app.dialogs.import_dialog._DEBOUNCE_MS",
    "app.dialogs.model_form._DEBOUNCE_MS",
    "app.dialogs.run_dialog._DEBOUNCE_MS",
    "app.perspectives.report._PAGES_DELAY_MS",
    "app.views.report_editor._SETTLE_MS",
    "app.views.report_pages._SETTLE_MS",
)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are quicker than hands."""
    for pause in _PAUSES:
        monkeypatch.setattr(pause, 30)


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def lane(qtbot: Any) -> Iterator[Lane]:
    lane = Lane("test lane")
    yield lane
    lane.close()
    assert lane.wait()


@pytest.fixture
def workspace(qtbot: Any, backend: FakeBackend) -> Iterator[Workspace]:
    workspace = Workspace(backend)
    yield workspace
    backend.gate.set()
    workspace.jobs.cancel_all()
    workspace.shut_down()
    qtbot.waitUntil(lambda: not workspace.running, timeout=WAIT)
    workspace.close_project()


@pytest.fixture
def open_workspace(qtbot: Any, workspace: Workspace, project_file: Path) -> Workspace:
    """The workspace with the project open and its newest runs chosen."""
    workspace.open(project_file)
    qtbot.waitUntil(lambda: workspace.session.snapshot.run_concepts is not None, timeout=WAIT)
    return workspace


@pytest.fixture
def views_ahead() -> bool:
    """Whether the window makes its views ahead of their use; most tests look at one alone."""
    return False


@pytest.fixture
def window(
    qtbot: Any, backend: FakeBackend, views_ahead: bool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """A shown window; after the test it is closed as a user would close it."""
    if not views_ahead:
        monkeypatch.setattr(warm_up, "_FIRST_MS", WAIT * 1000)
    with shown_window(qtbot, backend) as window:
        yield window


@contextlib.contextmanager
def shown_window(qtbot: Any, backend: FakeBackend) -> Iterator[MainWindow]:
    """A window, in the end closed and gone."""
    others = QApplication.topLevelWidgets()
    window = MainWindow(Workspace(backend))
    window.show()
    yield window
    backend.gate.set()
    window.workspace.jobs.cancel_all()
    qtbot.waitUntil(lambda: not window.workspace.jobs.busy, timeout=WAIT)
    for widget in QApplication.topLevelWidgets():
        if widget is not window and widget not in others and widget.isVisible():
            widget.close()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)  # lanes and project have ended
    window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def open_window(qtbot: Any, window: MainWindow, project_file: Path) -> MainWindow:
    """The window with the project open."""
    window.commands.open_path(str(project_file))
    qtbot.waitUntil(
        lambda: window.workspace.session.snapshot.run_concepts is not None, timeout=WAIT
    )
    return window


@pytest.fixture
def explained_window(qtbot: Any, window: MainWindow, explained_file: Path) -> MainWindow:
    """The window with the explained project open."""
    window.commands.open_path(str(explained_file))
    qtbot.waitUntil(
        lambda: window.workspace.session.snapshot.run_saliency is not None, timeout=WAIT
    )
    return window


@pytest.fixture
def compared_window(qtbot: Any, window: MainWindow, compared_file: Path) -> MainWindow:
    """The window with the project open whose models are compared by concepts."""
    window.commands.open_path(str(compared_file))
    qtbot.waitUntil(
        lambda: window.workspace.session.snapshot.run_semantics is not None, timeout=WAIT
    )
    return window


@pytest.fixture
def dissected_window(qtbot: Any, window: MainWindow, dissected_file: Path) -> MainWindow:
    """The window with the dissected project open."""
    window.commands.open_path(str(dissected_file))
    qtbot.waitUntil(
        lambda: window.workspace.session.snapshot.run_embedding is not None, timeout=WAIT
    )
    return window
