"""The drawn figures of a report, each drawn once for as long as its run does not change."""

from __future__ import annotations

import io
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.report_parts import picture_format

if TYPE_CHECKING:
    from analysis.project import Project

PRINTED_DPI = 220
_NARROWEST_MM = style.SINGLE_COLUMN_MM
_PHOTOGRAPHS_REDUCED = 0.85  # drawn larger than they are shown: more of them on a page
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Drawn:
    """A picture's file, or why there is none; neither: it has not been drawn yet."""

    format: str = ""
    data: bytes = b""
    problem: str = ""


class ReportPictures:
    """Draws figures and keeps them.

    :param dpi: of photographs; None: as a printer needs them.
    """

    def __init__(self, dpi: float | None = None) -> None:
        self._dpi = dpi or PRINTED_DPI
        self._kept: OrderedDict[str, Drawn] = OrderedDict()
        self._end: float | None = None
        self.missing = 0  # figures of the report in hand that are not drawn yet

    def begin(self, seconds: float | None = None) -> None:
        """Begin a report. After this time no further figure is begun; None: all are drawn."""
        self._end = None if seconds is None else time.monotonic() + seconds
        self.missing = 0

    def picture(
        self,
        project: Project,
        figure: str,
        run: int | None,
        parameters: Mapping[str, Any],
        width: int,
    ) -> Drawn:
        """The figure for `width` percent of the type area."""
        shown = [figure, run, sorted(parameters.items()), width]
        key = json.dumps([*shown, content_state(project, run)], default=str)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if self._end is not None and time.monotonic() > self._end:
            self.missing += 1
            return Drawn()
        drawn = self._kept[key] = _draw(project, figure, run, parameters, width, self._dpi)
        while sum(len(one.data) for one in self._kept.values()) > _MOST_BYTES:
            self._kept.popitem(last=False)
        return drawn


def content_state(project: Project, run: int | None) -> list[Any]:
    """What changes when results come in or names change."""
    done = project.value(
        "SELECT COUNT(*) FROM work_unit WHERE state = 'done' AND (run = ? OR ? IS NULL)", (run, run)
    )
    names = [list(row) for row in project.rows("SELECT id, name FROM model ORDER BY id")]
    state = project.value("SELECT state FROM run WHERE id = ?", (run,))
    slices = [[one.id, one.name, one.images] for one in project.image_slices()]
    return [done, state, project.name, names, slices]


def _draw(
    project: Project,
    figure: str,
    run: int | None,
    parameters: Mapping[str, Any],
    width: int,
    dpi: float,
) -> Drawn:
    from analysis.figures.export import prepare_figure, render_bytes

    format = picture_format(figure)
    reduced = _PHOTOGRAPHS_REDUCED if format == "jpeg" else 1.0
    width_mm = max(_NARROWEST_MM, style.DOUBLE_COLUMN_MM * width / 100 / reduced)
    try:
        prepared = prepare_figure(project, figure, run, **parameters)
        if format == "svg":
            return Drawn("svg", render_bytes(project, prepared, "svg", width_mm, svg_text="paths"))
        png = render_bytes(project, prepared, "png", width_mm, dpi=dpi)
    except AuditError as error:
        return Drawn(problem=str(error))
    return Drawn("jpeg", _jpeg(png))


def _jpeg(png: bytes) -> bytes:
    """Photographs as a JPEG, which keeps the report small."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()
