"""Python's cyclic garbage collector, held to the window's thread.

It may run in whatever thread happens to allocate. In a worker it would take apart widgets that
belong to the window's thread, and delete some a second time. So while lanes run, automatic
collection is off, and a timer collects here, by the interpreter's own thresholds.

Importing the analysis leaves half a million objects that live as long as the program; walking
through them would hold the window for most of a second each time. They are set aside (frozen).
"""

from __future__ import annotations

import gc
import sys
from typing import ClassVar

from PySide6.QtCore import QObject, QTimer, Slot

_INTERVAL_MS = 500
_MANY_MODULES = 150
_running: set[int] = set()


class MainThreadCollector(QObject):
    """Collects in the thread that it lives in, from its making until `stop`."""

    _set_aside: ClassVar[bool] = False

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._modules = len(sys.modules)
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()
        _running.add(id(self))
        gc.disable()

    @Slot()
    def check(self) -> None:
        """Set aside what was imported meanwhile; collect the generations that are due."""
        if len(sys.modules) - self._modules > _MANY_MODULES:
            self._modules = len(sys.modules)
            gc.collect(1)
            gc.freeze()
            MainThreadCollector._set_aside = True
            return
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Leave collecting to the interpreter again, once no other collector is at work.

        What was set aside here is looked at again: a window and its parts may be among it.
        """
        self._timer.stop()
        _running.discard(id(self))
        if MainThreadCollector._set_aside:  # what others have set aside is theirs
            gc.unfreeze()
            MainThreadCollector._set_aside = False
        if not _running:
            gc.enable()
