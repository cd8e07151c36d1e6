"""What the views need is brought ahead of their first use, in steps that nobody notices.

The plotting library and the views' modules are imported in the store lane, before whatever it is
asked to read. Once a project is open the views are made, part by part.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from PySide6.QtCore import QObject, QTimer, Slot

from app.loading import Loader
from app.perspectives.base import Presenter

_FIRST_MS = 300
_NEXT_MS = 40
_NAME = "modules of the views"


class WarmUp(QObject):
    """Makes views from `start` on until `stop`."""

    def __init__(self, presenters: Iterable[Presenter], loader: Loader, parent: QObject) -> None:
        super().__init__(parent)
        self._presenters = tuple(presenters)
        self._loader = loader
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._make_next)

    def import_modules(self) -> None:
        """Import what the views need, before whatever the store lane is asked for next."""
        self._import(self._ready)

    @Slot()
    def start(self) -> None:
        """A project is open: make the views that are missing, a part at a time."""
        self._import(self._begin)

    def stop(self) -> None:
        """Make nothing more."""
        self._loader.forget(_NAME)
        self._timer.stop()

    def _import(self, then: object) -> None:
        modules = tuple(p.view_module for p in self._presenters if p.view_module)
        self._loader.load(_NAME, _import_all, modules, then=then)  # type: ignore[arg-type]

    def _ready(self, _answer: object) -> None:
        """Nothing to do: the first view that is needed finds its modules."""

    def _begin(self, _answer: object) -> None:
        self._timer.start(_FIRST_MS)

    @Slot()
    def _make_next(self) -> None:
        for presenter in self._presenters:
            if not presenter.built:
                presenter.build_next()
                self._timer.start(_NEXT_MS)
                return


def _import_all(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
