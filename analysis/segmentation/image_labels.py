"""Labels of whole images (their class, their split) as planes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation.planes import (
    LabelConcept,
    PlaneImage,
    PlaneReading,
    clean_name,
    number_concepts,
)

CLASS_CATEGORY = "class"
SPLIT_CATEGORY = "split"


class ImageLabelPlanes:
    """One plane, all of whose cells are labelled with the image's class (category `class`) or its
    split (category `split`). An image without one has an empty plane.

    :param images: those whose labels there are to be; the concepts stand in alphabetical order.
    :raises AuditError: if none of them has a label.
    """

    needs_picture = False
    planes_per_image = 1

    def __init__(
        self, images: Iterable[PlaneImage], by: Literal["label", "split"] = "label"
    ) -> None:
        self._by = by
        category = CLASS_CATEGORY if by == "label" else SPLIT_CATEGORY
        names = sorted({self._name(image) for image in images} - {""})
        if not names:
            raise AuditError(
                f"No image of the set has a {category}.",
                "Choose an image set with one folder per class, or leave this plane out.",
            )
        self.concepts, self._codes = number_concepts(LabelConcept(n, category) for n in names)
        self._category = category
        self.key = hashlib.sha256("\n".join([category, *names]).encode()).hexdigest()

    def _name(self, image: PlaneImage) -> str:
        return clean_name((image.label if self._by == "label" else image.split) or "")

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None = None
    ) -> PlaneReading:
        """As `PlaneSource.read`."""
        code = self._codes.get(LabelConcept(self._name(image), self._category), 0)
        return PlaneReading(np.full((1, resolution, resolution), code, dtype=np.int32))
