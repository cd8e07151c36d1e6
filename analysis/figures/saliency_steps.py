"""The image at one step of insertion or deletion, as the model saw it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import parameter_number, read_only, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.saliency_data import Cell, SaliencyMap, StepPicture
from analysis.figures.saliency_values import (
    LONGEST_SCORES,
    MAP_COLUMNS,
    MapSquare,
    read_map,
    read_scores,
    wanted_cells,
)
from analysis.figures.saliency_words import measure_settings, run_frame
from analysis.figures.thumbnails import patch_tiles
from analysis.images.decoding import decode_image
from analysis.images.frames import Frame

if TYPE_CHECKING:
    from analysis.faithfulness.metrics import Baseline
    from analysis.faithfulness.steps import StepPictures
    from analysis.project import Project

Kind = Literal["insertion", "deletion"]
_LARGEST_SHOWN = 1024  # pixels of a side; more are not needed to see a step
_KEPT = 8  # curves that are dragged along without reading their image again


def step_picture(project: Project, run: int, cell: Cell, kind: Kind, step: int) -> StepPicture:
    """The image of a map's insertion or deletion after `step` steps, 0…steps.

    Cut from the image's file; where that is not there any more, or another one, from the thumbnail.
    Raises AuditError for a cell without a map, an unknown kind or step, and an image that there is
    no picture of.
    """
    from analysis.faithfulness.steps import KINDS

    parameters = run_parameters(run_row(project, run))
    found = list(wanted_cells(project, run, [cell], "saliency", MAP_COLUMNS))
    if not found or kind not in KINDS:
        raise AuditError(
            f"Run {run} has no {kind} of {cell.method} of {cell.model} for image {cell.image}.",
            "Choose a map of the run.",
        )
    shown = read_map(run, found[0])
    settings = measure_settings(parameters)
    baseline = None
    if settings is not None:
        inserting = kind == "insertion"
        baseline = settings.insertion_baseline if inserting else settings.deletion_baseline
    steps = _steps(project, run, cell, kind) or int(
        np.nan_to_num(parameter_number(parameters, "steps"))
    )
    if not 0 <= step <= steps:
        raise AuditError(f"There is no step {step} of {steps}.", "Choose one of the curve's steps.")
    frame = _shown_frame(run_frame(parameters) or Frame())
    pixels = _square_pixels(project, shown, frame).tobytes()
    rows, columns = shown.values.shape
    pictures = _pictures(
        pixels, frame.crop, shown.values.tobytes(), (rows, columns), kind, steps, baseline
    )
    return StepPicture(shown.cell, kind, step, read_only(pictures.at(step)))


def _shown_frame(frame: Frame) -> Frame:
    """The same square of no more pixels than can be looked at."""
    if frame.crop <= _LARGEST_SHOWN:
        return frame
    resize = round(frame.resize * _LARGEST_SHOWN / frame.crop)
    return Frame(max(resize, _LARGEST_SHOWN), _LARGEST_SHOWN)


def _steps(project: Project, run: int, cell: Cell, kind: str) -> int:
    """How many steps the curve of a cell has; 0 where there is none."""
    for row in wanted_cells(
        project, run, [cell], "curve", "kind, scores", f"length(scores) <= {LONGEST_SCORES}"
    ):
        if row["kind"] == kind:
            scores = read_scores(row["scores"])
            return 0 if scores is None else len(scores) - 1
    return 0


@lru_cache(maxsize=_KEPT)
def _pictures(
    pixels: bytes,
    side: int,
    values: bytes,
    shape: tuple[int, int],
    kind: Kind,
    steps: int,
    baseline: Baseline | None,
) -> StepPictures:
    """Kept for a few curves, so that dragging along one sorts no pixels."""
    from analysis.faithfulness.steps import StepPictures

    picture = np.frombuffer(pixels, np.uint8).reshape(side, side, 3)
    return StepPictures(picture, np.frombuffer(values, np.float32).reshape(shape), kind, steps,
                        baseline)  # fmt: skip


def _square_pixels(project: Project, shown: SaliencyMap, frame: Frame) -> np.ndarray:
    """(side, side, 3) uint8: the square of an image that a map covers."""
    image = shown.cell.image
    file = project.resolve_image(image)
    row = project.row("SELECT width, height, size_bytes FROM image WHERE id = ?", (image,))
    if file is not None and row is not None:
        status = file.stat()
        if row["size_bytes"] in (None, status.st_size):
            size = (row["width"], row["height"])
            pixels = _file_pixels(file, status.st_mtime_ns, frame, size)
            if pixels is not None:
                return pixels
    tile = patch_tiles(project, [MapSquare(image, *shown.region, patch_id=0)], frame.crop)[0]
    if tile.pixels is None:
        raise AuditError(
            f"There is no picture of image {image}: neither its file nor a thumbnail.",
            "Say where the image set lies now.",
        )
    return tile.pixels


@lru_cache(maxsize=_KEPT)
def _file_pixels(
    file: Path, changed: int, frame: Frame, size: tuple[int, int]
) -> np.ndarray | None:
    """The square of an image file; None if it cannot be read or is another image."""
    try:
        picture = decode_image(file)
    except AuditError:
        return None
    return frame.apply(picture) if picture.size == size else None
