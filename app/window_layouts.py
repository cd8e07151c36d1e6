"""How the window is arranged: remembered for each perspective, and put back as it was at first."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QEvent, QObject, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSplitter, QWidget
from shiboken6 import isValid

from app import settings
from app.widgets.lazy_tabs import LazyTabs

_VERSION = 1


class WindowLayouts(QObject):
    """Panels and dividers by perspective.

    A perspective that was never arranged by hand takes over the panels as they stand when it is
    entered; one that was keeps its own. Dividers are restored as soon as they exist: views and
    their tabs are built late.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._first: QByteArray = window.saveState(_VERSION)
        self._panels = settings.load_panels()
        self._dividers = settings.load_dividers()
        self._dividers_at_first: dict[str, list[int]] = {}
        self._splitters: dict[QSplitter, str] = {}
        self._tabs: dict[LazyTabs, tuple[str, QWidget]] = {}
        self._perspective = ""
        self._arrival: object = None
        self._sizes_before: object = None  # a divider between panels was taken hold of
        window.installEventFilter(self)

    # -- the window as a whole -----------------------------------------------------------------
    def restore(self) -> None:
        """The window as it was left."""
        geometry, state = settings.load_layout()
        if geometry is not None:
            self._window.restoreGeometry(geometry)
        if state is not None:
            self._window.restoreState(state, _VERSION)

    def save(self) -> None:
        """Remember everything for the next start."""
        self._leave()
        settings.save_layout(
            self._window.saveGeometry(),
            self._window.saveState(_VERSION),
            self._perspective,
            self._panels,
            self._dividers,
        )

    def reset(self) -> None:
        """Every panel and divider of every perspective back where it was at first."""
        settings.forget_layout()
        self._panels.clear()
        self._dividers.clear()
        self._window.restoreState(self._first, _VERSION)
        self._arrival = self._arrangement()
        for splitter, key in self._splitters.items():
            if isValid(splitter):
                splitter.setSizes(self._dividers_at_first[key])

    # -- perspectives --------------------------------------------------------------------------
    def enter(self, perspective: str) -> None:
        """Arrange the panels for a perspective."""
        if perspective == self._perspective:
            return
        self._leave()
        self._perspective = perspective
        state = self._panels.get(perspective)
        if state is not None:
            self._window.restoreState(state, _VERSION)
        self._arrival = self._arrangement()

    def _leave(self) -> None:
        if self._perspective and self._arrival != self._arrangement():
            self._panels[self._perspective] = self._window.saveState(_VERSION)

    def _arrangement(self) -> object:
        """Which panels are shown, and where. Their sizes follow the window and the views too."""
        return tuple(
            (key, dock.isHidden(), dock.isFloating(), self._window.dockWidgetArea(dock).value)
            for key, dock in self._docks.items()
        )

    def _sizes(self) -> object:
        return tuple(dock.size().toTuple() for dock in self._docks.values())

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """A divider between panels that is let go elsewhere has arranged them by hand."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._sizes_before = self._sizes()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            if self._sizes_before not in (None, self._sizes()):
                self._arrival = None
            self._sizes_before = None
        return False

    # -- dividers ------------------------------------------------------------------------------
    @Slot(object)
    def on_view_built(self, view: QWidget) -> None:
        """A perspective now has its view."""
        presenter = self.sender()
        if presenter is not None:
            self.adopt(presenter.objectName(), view)

    def adopt(self, perspective: str, view: QWidget) -> None:
        """Follow the dividers of a view, and place those that were moved in an earlier session."""
        for tabs in view.findChildren(LazyTabs):
            if tabs not in self._tabs:
                self._tabs[tabs] = (perspective, view)
                tabs.built.connect(self._on_built)
        for splitter in view.findChildren(QSplitter):
            if splitter not in self._splitters:
                self._take(splitter, f"{perspective}: {_way_to(splitter, view)}")

    def _take(self, splitter: QSplitter, key: str) -> None:
        self._splitters[splitter] = key
        self._dividers_at_first[key] = splitter.sizes()
        splitter.splitterMoved.connect(self._on_moved)
        wanted = self._dividers.get(key)
        if wanted is not None and len(wanted) == splitter.count() and sum(wanted) > 0:
            splitter.setSizes(wanted)
            # Views that place their own dividers leave alone what was placed by hand.
            splitter.splitterMoved.emit(wanted[0], 1)

    @Slot()
    def _on_moved(self) -> None:
        splitter = self.sender()
        if isinstance(splitter, QSplitter) and splitter in self._splitters:
            self._dividers[self._splitters[splitter]] = splitter.sizes()

    @Slot()
    def _on_built(self) -> None:
        tabs = self.sender()
        if isinstance(tabs, LazyTabs) and tabs in self._tabs:
            self.adopt(*self._tabs[tabs])


def _around(widget: QWidget, view: QWidget) -> list[QWidget]:
    """A widget and what it is in, up to the view."""
    found: list[QWidget] = []
    part: QWidget | None = widget
    while part is not None and part is not view:
        found.append(part)
        part = part.parentWidget()
    return found


def _way_to(splitter: QSplitter, view: QWidget) -> str:
    """A name that stays the same from start to start: the parts around it, and its place there."""
    way = _kinds(splitter, view)
    alike = [one for one in view.findChildren(QSplitter) if _kinds(one, view) == way]
    return f"{way} {alike.index(splitter)}"


def _kinds(splitter: QSplitter, view: QWidget) -> str:
    return "/".join(type(part).__name__ for part in reversed(_around(splitter, view)))
