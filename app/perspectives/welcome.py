"""The first page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from app import recent_pictures
from app.perspectives.base import Presenter

_PICTURES = "pictures of recent projects"


class WelcomePresenter(Presenter):
    """The first page: recent projects, or what to do next in the open one."""

    recent_chosen = Signal(str)

    def make_view(self) -> QWidget:
        from app.welcome import WelcomePage

        page = WelcomePage()
        page.action.connect(self.wish)
        page.recent_chosen.connect(self.recent_chosen)
        return page

    def load(self) -> None:
        self.show_view()
        page: Any = self.view
        index, project = self.workspace.index, self.workspace.project
        if index is None and project is not None:
            page.show_opening(Path(project.path).stem)
        else:
            page.show_index(index)
        projects = page.recent.projects()
        if projects:
            read = recent_pictures.read_pictures
            self.workspace.loader.load(_PICTURES, read, projects, then=page.recent.show_pictures)

    @Slot(object)
    def _on_index(self, _index: object) -> None:
        self.refresh()
