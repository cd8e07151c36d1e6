"""The built-in plane of the eleven basic colours, computed from an image's pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation.colour_model import COLOUR_NAMES, colour_table, name_colours
from analysis.segmentation.planes import LabelConcept, PlaneImage, PlaneReading
from analysis.segmentation.sampling import grid_pixels

COLOUR_CATEGORY = "color"
"""As the data sets of the field call it."""


class ColourPlanes:
    """The basic colour of the frame's pixel under the centre of each grid cell; see
    `colour_model` for how it is named. Every cell has one."""

    needs_picture = True
    planes_per_image = 1
    key = "colours: Benavente et al. 2008, xkcd survey"

    def __init__(self) -> None:
        self.concepts = tuple(LabelConcept(name, COLOUR_CATEGORY) for name in COLOUR_NAMES)
        colour_table()  # before threads ask for it

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None
    ) -> PlaneReading:
        """As `PlaneSource.read`."""
        if picture is None:
            raise AuditError("The image cannot be read, so its colours are not known.")
        pixels = frame.apply(picture)
        inner = Frame(frame.crop, frame.crop)
        rows, columns = grid_pixels(inner, resolution, *([frame.crop] * 4))
        return PlaneReading(name_colours(pixels[rows[:, None], columns])[np.newaxis] + 1)
