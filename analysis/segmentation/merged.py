"""Several sources of label planes under one numbering of concepts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation.colours import COLOUR_CATEGORY, ColourPlanes
from analysis.segmentation.planes import (
    BatchedPlaneSource,
    LabelSpace,
    PlaneImage,
    PlaneReading,
    PlaneSource,
    empty_reading,
    number_concepts,
)
from analysis.segmentation.quadrants import QuadrantPlanes


@dataclass(frozen=True)
class _Part:
    """A source, what it rests on, and where its codes stand in the merged numbering."""

    source: PlaneSource
    base: PlaneSource
    codes: np.ndarray


class LabelPlanes:
    """The planes of several sources over one frame, on one grid, in one numbering.

    A concept that several sources have (same name, same category) has one code; a cell that two
    planes give the same code keeps it in the first only, so that it counts once. Colours that
    come with the data win over `ColourPlanes`, which is then left out.

    :raises AuditError: if there is no source, or none has a concept.
    """

    def __init__(self, sources: Sequence[PlaneSource], frame: Frame, resolution: int = 56) -> None:
        if not 1 <= resolution <= 1024:
            raise AuditError(
                f"Label planes of {resolution} × {resolution} cells cannot be made.",
                "Choose a resolution between 1 and 1,024 (56 is usual).",
            )
        self.frame = frame
        self.resolution = resolution
        self.sources = _without_second_colours(sources)
        concepts, codes = number_concepts(c for source in self.sources for c in source.concepts)
        if not concepts:
            raise AuditError(
                "There are no label planes.",
                "Add a Broden layout, a folder of masks, colours or a segmentation model.",
            )
        self.space = LabelSpace(concepts)
        self._parts = []
        for source in self.sources:
            lookup = np.array([0, *(codes[c] for c in source.concepts)], dtype=np.int32)
            base = source.source if isinstance(source, QuadrantPlanes) else source
            self._parts.append(_Part(source, base, lookup))

    @property
    def planes_per_image(self) -> int:
        """How many planes an image has at most."""
        return sum(source.planes_per_image for source in self.sources)

    @property
    def bases(self) -> tuple[PlaneSource, ...]:
        """For each source what must be read for it: itself, or what quadrants are made of."""
        return tuple(part.base for part in self._parts)

    @property
    def key(self) -> str:
        """Of the sources' content, the frame and the grid."""
        text = "\n".join([
            repr(self.frame), str(self.resolution), *(source.key for source in self.sources)
        ])  # fmt: skip
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def read(self, image: PlaneImage, picture: Image.Image | None) -> PlaneReading:
        """The planes of one image: int32 (planes, resolution, resolution) of merged codes.

        What a source could not give is told as problems.

        :param picture: the upright RGB image; None if it cannot be read or no source needs it.
        """
        return self.merge([self.read_base(base, image, picture) for base in self.bases])

    def read_base(
        self, base: PlaneSource, image: PlaneImage, picture: Image.Image | None
    ) -> PlaneReading:
        """The reading of one of `bases`, in its own codes."""
        if base.needs_picture and picture is None:
            return empty_reading(base, self.resolution, "")
        try:
            return base.read(image, self.frame, self.resolution, picture)
        except AuditError as problem:
            return empty_reading(base, self.resolution, problem.summary)
        except MemoryError:
            reason = "There is not enough memory for its label planes."
            return empty_reading(base, self.resolution, reason)

    def merge(self, readings: Sequence[PlaneReading]) -> PlaneReading:
        """One reading, in merged codes, from one of each of `bases` in order."""
        whole = [
            part.source.expand(reading) if isinstance(part.source, QuadrantPlanes) else reading
            for part, reading in zip(self._parts, readings, strict=True)
        ]
        merged = np.concatenate([p.codes[r.codes] for p, r in zip(self._parts, whole, strict=True)])
        _drop_repeated(merged)
        problems = tuple(problem for reading in whole for problem in reading.problems)
        return PlaneReading(merged, problems, all(reading.complete for reading in whole))


def is_batched(source: PlaneSource) -> bool:
    """Whether a source is read in batches (a segmentation model)."""
    return isinstance(source, BatchedPlaneSource)


def _without_second_colours(sources: Sequence[PlaneSource]) -> tuple[PlaneSource, ...]:
    given = any(
        concept.category == COLOUR_CATEGORY
        for source in sources
        if not isinstance(source, ColourPlanes)
        for concept in source.concepts
    )
    return tuple(s for s in sources if not (given and isinstance(s, ColourPlanes)))


def _drop_repeated(planes: np.ndarray) -> None:
    """Of equal codes in one cell keep the first: a concept is there or is not."""
    labelled = [position for position, plane in enumerate(planes) if plane.any()]
    for count, later in enumerate(labelled):
        for earlier in labelled[:count]:
            planes[later][planes[later] == planes[earlier]] = 0
