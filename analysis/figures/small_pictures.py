"""Small pictures of figures, for lists to choose from."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.figures.export import prepare_figure, render_bytes
from analysis.figures.report_pictures import content_state

if TYPE_CHECKING:
    from analysis.project import Project

PIXELS = 360  # across: sharp on a screen of twice the usual density, and enough to enlarge
_WIDTH_MM = 110.0  # type is small on it, but the shape of a figure shows
_MOST_BYTES = 6 * 2**20


class SmallPictures:
    """Draws figures small and keeps them by what they show; used by one thread at a time."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self.drawn = 0  # how many were not at hand

    @property
    def bytes_kept(self) -> int:
        """Bytes of the pictures at hand."""
        return sum(map(len, self._kept.values()))

    def picture(
        self, project: Project, figure: str, run: int | None, parameters: Mapping[str, Any]
    ) -> bytes:
        """A figure as a PNG of `PIXELS` across.

        Raises AuditError as `prepare_figure` does.
        """
        shown = [str(project.path), figure, run, sorted(parameters.items())]
        text = json.dumps([shown, content_state(project, run)], default=str)
        key = hashlib.sha256(text.encode()).hexdigest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        prepared = prepare_figure(project, figure, run, **parameters)
        dpi = PIXELS / (_WIDTH_MM / 25.4)
        data = render_bytes(project, prepared, "png", _WIDTH_MM, dpi)
        self.drawn += 1
        self._kept[key] = data
        while self.bytes_kept > self._most_bytes and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return data
