"""Regions of images that carry a label of the label planes, as boxes to be cut out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.context import RunContext
from analysis.audits.grouping import ImageEntry
from analysis.audits.label_sources import DataLabels, label_planes, plane_images
from analysis.images.frames import Frame

if TYPE_CHECKING:
    from analysis.audits.semantics import SemanticsParameters

Box = tuple[int, int, int, int]

_GRID = 56
_LEAST_SHARE = 0.005  # of the square, for a region to show something
_LEAST_SIDE = 4  # cells
_LEAST_IMAGES = 10
_NO_REGIONS = frozenset({"color", "scene"})  # categories that no square can be cut around well


@dataclass(frozen=True)
class LabelRegions:
    """Where each label is: `boxes` by (name, category), `images` all that were looked at."""

    boxes: dict[tuple[str, str], dict[int, Box]]
    images: tuple[ImageEntry, ...]
    touched: dict[tuple[str, str], frozenset[int]]  # images that show any of it

    def of(
        self, label: str, category: str | None
    ) -> tuple[list[tuple[ImageEntry, Box]], list[ImageEntry]]:
        """Images with the box of a label's region, and images that show nothing of it."""
        keys = [
            key for key in self.boxes
            if key[0].casefold() == label.casefold() and category in (None, key[1])
        ]  # fmt: skip
        if not keys:
            return [], []
        key = max(keys, key=lambda one: len(self.boxes[one]))
        boxes = self.boxes[key]
        touched = self.touched[key]
        return (
            [(image, boxes[image.id]) for image in self.images if image.id in boxes],
            [image for image in self.images if image.id not in touched],
        )

    def commonest(self, most: int) -> list[tuple[str, str, str | None]]:
        """Name, label and category of the labels that most images show, some of them not."""
        usable = [
            key
            for key, boxes in self.boxes.items()
            if key[1] not in _NO_REGIONS
            and len(boxes) >= _LEAST_IMAGES
            and len(self.images) - len(self.touched[key]) >= _LEAST_IMAGES
        ]
        usable.sort(key=lambda key: (-len(self.boxes[key]), key))
        return [(name, name, category) for name, category in usable[:most]]


def read_regions(context: RunContext, images: Sequence[ImageEntry]) -> LabelRegions:
    """The regions of all labels, from the label planes of the run's images.

    :raises AuditError: there are no label planes for these images.
    """
    parameters: SemanticsParameters = context.parameters
    frame = Frame(parameters.resize, parameters.frame)
    wanted = plane_images(context.project, images)
    planes = label_planes(
        context.project, context.run.image_set, wanted, DataLabels(parameters.labels, _GRID), frame
    )
    keys = [(concept.name, concept.category) for concept in planes.space.concepts]
    boxes: dict[tuple[str, str], dict[int, Box]] = {key: {} for key in keys}
    touched: dict[tuple[str, str], set[int]] = {key: set() for key in keys}
    for image, known in zip(images, wanted, strict=True):
        context.progress.check_cancelled()
        codes = planes.read(known, None).codes
        for code in np.unique(codes[codes > 0]).tolist():
            key = keys[code - 1]
            region = (codes == code).any(0)
            touched[key].add(image.id)
            if region.mean() >= _LEAST_SHARE:
                boxes[key][image.id] = _square(region, frame, image)
    return LabelRegions(
        boxes, tuple(images), {key: frozenset(found) for key, found in touched.items()}
    )


def _square(region: np.ndarray, frame: Frame, image: ImageEntry) -> Box:
    """The smallest square around a region, within the frame, in pixels of the original."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    side = int(min(max(height, width, _LEAST_SIDE), _GRID))
    top = int(np.clip((rows[0] + rows[-1] + 1 - side) // 2, 0, _GRID - side))
    left = int(np.clip((columns[0] + columns[-1] + 1 - side) // 2, 0, _GRID - side))
    cell = frame.crop / _GRID
    box = np.array([[left * cell, top * cell, side * cell, side * cell]])
    x, y, across, down = frame.to_original(box, image.width, image.height)[0].tolist()
    return x, y, across, down
