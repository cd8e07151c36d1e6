"""A run that is stopped on its way."""

from __future__ import annotations

from analysis.progress import Progress


class CancelAfter(Progress):
    """Cancels itself after so many reports."""

    def __init__(self, reports: int) -> None:
        super().__init__()
        self._left = reports

    def report(self, done: float, total: float, text: str = "") -> None:
        self._left -= 1
        if self._left == 0:
            self.cancel()
        super().report(done, total, text)
