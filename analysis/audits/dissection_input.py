"""What all models of a dissection share: the frames of the images and their label planes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.comparison import images_of_run
from analysis.audits.context import RunContext
from analysis.audits.dissection import chosen_images
from analysis.audits.feature_cache import FeatureCache
from analysis.audits.grouping import ImageEntry
from analysis.audits.label_sources import label_planes, plane_images
from analysis.audits.spool import Spool
from analysis.errors import AuditError
from analysis.images.decoding import thumbnail
from analysis.images.frames import Frame
from analysis.progress import Progress
from analysis.segmentation.planes import LabelSpace
from analysis.segmentation.reading import read_planes

if TYPE_CHECKING:
    from PIL import Image

    from analysis.audits.dissection import DissectionParameters
    from analysis.project import Project

_PREVIEWS_AT_ONCE = 64


@dataclass(frozen=True)
class DissectionInput:
    """Images that could be read, with all their planes.

    `frames`: (images, side, side, 3) uint8; `planes`: (images, planes, resolution, resolution)
    integer codes of `space`; `frame`: how they were cut.
    """

    images: tuple[ImageEntry, ...]
    frames: np.ndarray
    planes: np.ndarray
    space: LabelSpace
    frame: Frame
    problems: tuple[tuple[str, str], ...]


def read_input(context: RunContext, spool: Spool, low: float, high: float) -> DissectionInput:
    """Decode every image once: into its frame, its preview, and what its planes need of it.

    :raises AuditError: no image is left with its planes.
    """
    parameters: DissectionParameters = context.parameters
    images = chosen_images(images_of_run(context), parameters.images)
    frame = Frame(parameters.resize, parameters.frame)
    wanted = plane_images(context.project, images)
    planes = label_planes(
        context.project, context.run.image_set, wanted, parameters, frame, context.device.type
    )
    frames = spool.array((len(images), frame.crop, frame.crop, 3), np.uint8)
    decoded = np.zeros(len(images), dtype=bool)
    previews = _Previews(context.project, images)

    def look(position: int, picture: Image.Image) -> None:
        frames[position] = frame.apply(picture)
        decoded[position] = True
        previews.take(position, picture)

    def report(done: float, total: float, text: str, _left: float | None) -> None:
        previews.flush(_PREVIEWS_AT_ONCE)
        context.step(low + (high - low) * done / max(total, 1), text)

    cache = FeatureCache() if parameters.segmenter.strip() else None
    try:
        stack = read_planes(planes, wanted, Progress(report), cache, look=look)
    finally:
        if cache is not None:
            cache.close()
    previews.flush(1)
    kept = np.flatnonzero(decoded & stack.complete)
    if not len(kept):
        first = stack.problems[0] if stack.problems else None
        raise AuditError(
            "No image is left that can be read together with its label planes.",
            f"{first.path}: {first.reason}" if first else "Check the image folder.",
        )
    problems = tuple((problem.path, problem.reason) for problem in stack.problems)
    if len(kept) == len(images):
        return DissectionInput(images, frames, stack.codes, stack.space, frame, problems)
    return DissectionInput(
        tuple(images[place] for place in kept),
        _moved_up(frames, kept),
        _moved_up(stack.codes, kept),
        stack.space,
        frame,
        problems,
    )


def _moved_up(rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The rows that are kept, without a second array of that size."""
    for place, source in enumerate(kept):
        if place != source:
            rows[place] = rows[source]
    return rows[: len(kept)]


class _Previews:
    """Previews of images that the project lacks, kept as they come from the threads."""

    def __init__(self, project: Project, images: Sequence[ImageEntry]) -> None:
        self._project = project
        self._images = images
        lacking = set(project.images_without_thumbnail([image.id for image in images]))
        self._lacking = set() if project.read_only else lacking
        self._waiting: list[tuple[int, int, int, bytes]] = []
        self._lock = threading.Lock()

    def take(self, position: int, picture: Image.Image) -> None:
        """Called in threads."""
        number = self._images[position].id
        if number not in self._lacking:
            return
        data, width, height = thumbnail(picture)
        with self._lock:
            self._waiting.append((number, width, height, data))

    def flush(self, least: int) -> None:
        """Write what is waiting, if it is `least` or more."""
        with self._lock:
            if len(self._waiting) < least:
                return
            ready, self._waiting = self._waiting, []
        self._project.add_thumbnails(ready)
