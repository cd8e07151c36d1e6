"""Small pictures of figures for lists: drawn in the drawing lane, a few at a time, when seen.

A list asks for what it paints. When pictures have come it paints again, and what is no longer seen
is no longer waited for; pages and previews of the same lane wait for a moment at most.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QPixmap

from analysis.project import Project
from app.backend import Backend
from app.loading import Loader
from app.problems import Problem, problem_of
from app.project_index import ProjectIndex
from app.widgets.figure_source import FigureKey
from app.widgets.image_source import PixmapCache

_PICTURES = "small pictures of figures"
_SECONDS = 0.8  # that others wait for the lane
_MOST_BYTES = 24 * 2**20  # of pixels
_AGAIN_MS = 3000  # while a run goes on its figures are drawn anew no more often


class FigurePictures(QObject):
    """The `FigureSource` of the window."""

    changed = Signal()

    def __init__(self, backend: Backend, drawer: Loader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend = backend
        self._drawer = drawer
        self._project: Project | None = None
        self._cache = PixmapCache(_MOST_BYTES)
        self._problems: dict[FigureKey, str] = {}
        self._stale: set[FigureKey] = set()
        self._waiting: OrderedDict[FigureKey, None] = OrderedDict()
        self._in_hand = False
        self._shown_of: object = None  # what all figures depend on besides their runs
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._draw_next)
        self._runs: set[int] = set()  # with new results
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._look_again)
        drawer.failed.connect(self._on_failed)

    # -- what lists ask ------------------------------------------------------------------------
    def picture(self, key: FigureKey) -> QPixmap | None:
        """The picture if it is at hand; else it is drawn, and `changed` follows."""
        pixmap = self._cache.get(key)
        known = pixmap is not None or key in self._problems
        if (not known or key in self._stale) and self._project is not None:
            self._waiting[key] = None
            if not self._in_hand and not self._next.isActive():
                self._next.start()
        return pixmap

    def problem(self, key: FigureKey) -> str:
        """Why there is no picture; empty while it is not known."""
        return self._problems.get(key, "")

    # -- drawing -------------------------------------------------------------------------------
    @Slot()
    def _draw_next(self) -> None:
        if self._in_hand or self._project is None or not self._waiting:
            return
        keys = tuple(self._waiting)
        self._waiting.clear()  # whoever still sees those that are not reached asks again
        self._in_hand = True
        draw = partial(_draw, self._backend, self._project, keys)
        self._drawer.load(_PICTURES, draw, then=self._on_drawn)

    def _on_drawn(self, drawn: Mapping[FigureKey, bytes | str]) -> None:
        self._in_hand = False
        for key, found in drawn.items():
            self._waiting.pop(key, None)
            self._stale.discard(key)
            self._problems.pop(key, None)
            pixmap = QPixmap()
            if isinstance(found, str):
                self._problems[key] = found
            elif pixmap.loadFromData(found, "PNG"):
                self._cache.put(key, pixmap)
                continue
            else:
                self._problems[key] = "The figure cannot be shown."
            self._cache.discard(key)
        self._go_on()

    @Slot(str, object)
    def _on_failed(self, name: str, _problem: Problem) -> None:
        if name == _PICTURES:
            self._in_hand = False
            self._waiting.clear()

    def _go_on(self) -> None:
        self.changed.emit()
        if self._waiting and not self._next.isActive():
            self._next.start()

    # -- what changes --------------------------------------------------------------------------
    @Slot(object)
    def set_project(self, project: Project | None) -> None:
        """Nothing of another project is shown."""
        self._next.stop()
        self._again.stop()
        self._drawer.forget(_PICTURES)
        self._project, self._in_hand, self._shown_of = project, False, None
        self._cache.clear()
        self._runs.clear()
        for kept in (self._problems, self._stale, self._waiting):
            kept.clear()

    @Slot(object)
    def set_index(self, index: ProjectIndex | None) -> None:
        """Names and slices may be others."""
        shown_of = None if index is None else (index.models, index.slices, index.name)
        before, self._shown_of = self._shown_of, shown_of
        if before is not None and shown_of != before:
            self._make_stale(None)

    @Slot(object)
    def on_results(self, runs: frozenset[int]) -> None:
        """Runs have more to show: in a moment, for more may come."""
        self._runs |= runs
        if not self._again.isActive():
            self._again.start()

    @Slot()
    def _look_again(self) -> None:
        runs, self._runs = frozenset(self._runs), set()
        self._make_stale(runs)

    def _make_stale(self, runs: frozenset[int] | None) -> None:
        """Draw figures of these runs, or all, anew when they are seen; until then they stay."""
        for key in (*self._cache.keys(), *self._problems):
            if runs is None or key.run is None or key.run in runs:
                self._stale.add(key)
        self.changed.emit()


def _draw(
    backend: Backend, project: Project, keys: tuple[FigureKey, ...]
) -> Mapping[FigureKey, bytes | str]:
    """The first of these figures, as many as can be drawn in a moment; of one that cannot be drawn
    the reason."""
    end = time.monotonic() + _SECONDS
    drawn: dict[FigureKey, bytes | str] = {}
    for key in keys:
        try:
            drawn[key] = backend.small_picture(project, key.name, key.run, dict(key.parameters))
        except Exception as error:  # one figure that fails must not hide the others
            drawn[key] = problem_of(error).text
        if time.monotonic() > end:
            break
    return drawn
