"""Tabs whose contents are built when they are first shown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.theme import GRID, font


class LazyTabs(QTabWidget):
    """`built(key)` tells that a tab now has its contents: time to bring it its data."""

    built = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self._keys: list[str] = []
        self.contents: dict[str, QWidget] = {}
        self.currentChanged.connect(self._build)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.tabBar().setFont(font("small"))  # an earlier one is lost when styles are applied

    def add(self, key: str, title: str, make: Callable[[], QWidget]) -> None:
        """A tab whose contents `make` builds."""
        self._makers[key] = make
        self._keys.append(key)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, GRID, 0, 0)
        self.addTab(page, title)

    def key(self) -> str:
        """The key of the tab on the screen."""
        return self._keys[self.currentIndex()]

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front."""
        self.setCurrentIndex(self._keys.index(key))
        self.build(key)

    def build(self, key: str) -> QWidget:
        """The contents of a tab, built if they are not there yet."""
        if key not in self.contents:
            page = self.widget(self._keys.index(key))
            self.contents[key] = self._makers[key]()
            layout = None if page is None else page.layout()
            assert layout is not None
            layout.addWidget(self.contents[key])
            self.built.emit(key)
        return self.contents[key]

    def _build(self, index: int) -> None:
        if self.isVisible() and index < len(self._keys):
            self.build(self._keys[index])
