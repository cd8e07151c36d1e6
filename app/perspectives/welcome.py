"""The first page."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from app.perspectives.base import Presenter


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
        self.view.show_index(self.workspace.index)  # type: ignore[attr-defined]

    @Slot(object)
    def _on_index(self, _index: object) -> None:
        self.refresh()
