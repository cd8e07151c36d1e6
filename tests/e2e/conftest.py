"""The whole window in a user's hands, with the real project file and a made-up analysis.

Offscreen by default; in a real window with QT_QPA_PLATFORM=xcb, as `make window-tests` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage

from analysis.progress import Progress
from analysis.project import Project
from app.main_window import MainWindow
from tests.app import fake_backend as made
from tests.app.conftest import (  # noqa: F401  (fixtures)
    nothing_is_left_behind,
    own_settings,
    project_file,
    project_template,
    window,
)
from tests.e2e.hands import Hands


class PictureFolders(made.FakeBackend):
    """Takes in the pictures of class folders; the rest of the analysis is made up."""

    def add_images(self, project: Project, name: str, source: Path, progress: Progress) -> int:
        number = project.add_image_set(name, source, "class folders")
        pictures = [(path, QImage(str(path))) for path in sorted(source.glob("*/*.png"))]
        project.add_images(
            number,
            [
                made.FakeImage(
                    str(path.relative_to(source)), path.parent.name, image.width(), image.height()
                )
                for path, image in pictures
            ],
        )
        return number


@pytest.fixture(autouse=True)
def a_window_where_one_is_needed(request: pytest.FixtureRequest) -> None:
    """Tests marked `xvfb` need a platform that has windows."""
    if request.node.get_closest_marker("xvfb") is not None:
        request.getfixturevalue("qapp")
        if QGuiApplication.platformName() == "offscreen":
            pytest.skip("needs a real window: run with QT_QPA_PLATFORM=xcb, as under xvfb-run")


@pytest.fixture
def views_ahead() -> bool:
    """As users have it."""
    return True


@pytest.fixture
def backend() -> made.FakeBackend:
    return PictureFolders()


@pytest.fixture
def hands(qtbot, window: MainWindow) -> Iterator[Hands]:  # noqa: F811
    """At work on an empty window that has the keyboard."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=made.WAIT)
    yield Hands(qtbot, window)
    window.workspace.backend.gate.set()


@pytest.fixture
def at_work(hands: Hands, project_file: Path) -> Hands:  # noqa: F811
    """At work on a project with results, opened from the menu."""
    open_project(hands, project_file)
    return hands


def open_project(hands: Hands, path: Path) -> None:
    """Open a project by its menu entry and its path."""
    hands.menu("File", "Open…")
    hands.choose_file(path)
    hands.wait(lambda: hands.window.workspace.session.snapshot.run_concepts is not None)
