"""Parts made of objects: each object's top, left, bottom and right half.

As in Dissect (Bau et al., PNAS 2020), whose tables name most of their parts so (`car-t`).
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation.planes import (
    LabelConcept,
    PlaneImage,
    PlaneReading,
    PlaneSource,
    number_concepts,
)

PART_CATEGORY = "part"
SUFFIXES = ("-t", "-b", "-l", "-r")


class QuadrantPlanes:
    """The planes of a source, and two more for each of them: every connected piece of an object
    (cells that share an edge) is cut at the mid-lines of its bounding box into `NAME-t` and
    `NAME-b`, and again into `NAME-l` and `NAME-r`, concepts of the category `part`.

    Boxes are those on the grid, within the frame. A row of cells on the mid-line belongs to
    neither half; a piece one cell high has no top and bottom, one cell wide no left and right.

    :param category: of the concepts that are cut.
    :raises AuditError: if the source has no such concept.
    """

    def __init__(self, source: PlaneSource, category: str = "object") -> None:
        self.source = source
        whole = [concept for concept in source.concepts if concept.category == category]
        if not whole:
            raise AuditError(
                f"There is no {category} to split into quadrants.",
                "Add label planes of objects, or leave the quadrants out.",
            )
        parts = [LabelConcept(c.name + s, PART_CATEGORY) for c in whole for s in SUFFIXES]
        self.concepts, codes = number_concepts([*source.concepts, *parts])
        self.planes_per_image = 3 * source.planes_per_image
        self.needs_picture = source.needs_picture
        self.key = f"quadrants of {category}: {source.key}"
        self._parts = np.zeros((len(source.concepts) + 1, len(SUFFIXES)), dtype=np.int32)
        for code, concept in enumerate(source.concepts, start=1):
            if concept.category == category:
                halves = [LabelConcept(concept.name + s, PART_CATEGORY) for s in SUFFIXES]
                self._parts[code] = [codes[half] for half in halves]

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None
    ) -> PlaneReading:
        """As `PlaneSource.read`."""
        return self.expand(self.source.read(image, frame, resolution, picture))

    def expand(self, reading: PlaneReading) -> PlaneReading:
        """The reading of the source with the planes of halves behind its own."""
        planes = [reading.codes]
        for plane in reading.codes:
            planes.append(self._halves(plane))
        return PlaneReading(np.concatenate(planes), reading.problems, reading.complete)

    def _halves(self, plane: np.ndarray) -> np.ndarray:
        """int32 (2, resolution, resolution): top and bottom, left and right."""
        halves = np.zeros((2, *plane.shape), dtype=np.int32)
        for code in np.unique(plane):
            top, bottom, left, right = self._parts[code]
            if top == 0:
                continue
            pieces, _ = ndimage.label(plane == code)
            for piece, box in enumerate(ndimage.find_objects(pieces), start=1):
                inside = pieces[box] == piece
                high, wide = inside.shape
                _paint(halves[0][box], inside, slice(0, high // 2), top)
                _paint(halves[0][box], inside, slice(high - high // 2, high), bottom)
                _paint(halves[1][box].T, inside.T, slice(0, wide // 2), left)
                _paint(halves[1][box].T, inside.T, slice(wide - wide // 2, wide), right)
        return halves


def _paint(window: np.ndarray, inside: np.ndarray, rows: slice, code: int) -> None:
    window[rows][inside[rows]] = code
