"""Label planes from a folder of masks that stands beside an image set.

The mask of the image `cat/1.jpg` is `cat/1.png` (or `cat/1.jpg.png`; TIFF and BMP will do, JPEG
does not keep labels) in the folder of masks. Its pixels are values (an indexed, grey or 16-bit
image, or an RGB image whose channels are equal) or colours, as its table of names says
(`mask_names`). Unnamed 0 and 255 in masks of values, and unnamed black and white in masks of
colours, mean that a pixel shows nothing; transparent pixels show nothing either.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import ImageProblem
from analysis.images.frames import Frame
from analysis.segmentation.mask_names import MaskNames, packed_colours, read_names
from analysis.segmentation.planes import LabelConcept, PlaneImage, PlaneReading
from analysis.segmentation.sampling import Samples, sample_plane

_SUFFIXES = (".png", ".tif", ".tiff", ".bmp")
_SILENT_VALUES = (0, 255)
_SILENT_COLOURS = (0x000000, 0xFFFFFF)
_NAMED_PIXELS = 5


def open_masks(folder: Path, image_set_root: Path) -> MaskPlanes:
    """A folder of masks; the masks themselves are not looked at yet.

    :param image_set_root: the folder that the images' paths are relative to.
    :raises AuditError: if there is no such folder, or its table of names is missing or damaged.
    """
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir():
        raise AuditError(
            f"There is no folder of masks at “{folder}”.",
            "Choose a folder with one mask for each image, called as the image is.",
        )
    return MaskPlanes(folder, Path(os.path.abspath(image_set_root)), read_names(folder))


class MaskPlanes:
    """One plane for each image, from the mask of the same name."""

    needs_picture = False
    planes_per_image = 1

    def __init__(self, folder: Path, image_set_root: Path, names: MaskNames) -> None:
        self._folder = folder
        self._root = image_set_root
        self._names = names
        self.concepts: tuple[LabelConcept, ...] = names.concepts
        self.key = hashlib.sha256(f"masks {names.key}".encode()).hexdigest()

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None = None
    ) -> PlaneReading:
        """As `PlaneSource.read`.

        :raises AuditError: if the image has no mask, or it cannot be read or understood.
        """
        file = self._find(image)
        try:
            samples = sample_plane(file, image, frame, resolution)
            codes, problems = self._codes(samples)
        except ImageProblem as problem:
            raise AuditError(f"Its mask “{file.name}”: {problem.summary}") from problem
        return PlaneReading(codes[np.newaxis], tuple(problems))

    def _find(self, image: PlaneImage) -> Path:
        relative = self._relative(image)
        for name in _mask_names(relative):
            file = self._folder / name
            # Masks may lie among the photographs; a photograph is not its own mask.
            if file.is_file() and not _same_file(file, image.file):
                return file
        raise AuditError(f"It has no mask: “{relative.with_suffix('.png')}” is not there.")

    def _relative(self, image: PlaneImage) -> PurePosixPath:
        """The image's path within its set, which must not lead out of the folder of masks."""
        relative = PurePosixPath(image.path)
        if relative.is_absolute() or ".." in relative.parts or PurePath(image.path).is_absolute():
            file = Path(os.path.abspath(image.file))
            if not file.is_relative_to(self._root):
                raise AuditError("It lies outside its image set, so its mask cannot be found.")
            relative = PurePosixPath(file.relative_to(self._root).as_posix())
        return relative

    def _codes(self, samples: Samples) -> tuple[np.ndarray, list[str]]:
        pixels, colours = self._pixels(samples)
        known = self._names.colours if colours else self._names.values
        codes = self._names.colour_codes if colours else self._names.value_codes
        place = np.minimum(np.searchsorted(known, pixels), len(known) - 1)
        found = known[place] == pixels
        shown = ~_transparent(samples)
        plane = np.where(found & shown, codes[place], 0).astype(np.int32)
        silent = _SILENT_COLOURS if colours else _SILENT_VALUES
        unnamed = np.setdiff1d(pixels[~found & shown], silent).tolist()
        return plane, [_unnamed(unnamed, colours)] if unnamed else []

    def _pixels(self, samples: Samples) -> tuple[np.ndarray, bool]:
        """A number for each cell, and whether it is a colour."""
        values = samples.values
        if values.shape[-1] < 3 and len(self._names.values):
            return values[..., 0], False
        if samples.palette is not None:
            return packed_colours(samples.palette[values[..., 0]]), True
        if len(self._names.colours):
            if values.shape[-1] < 3:
                values = np.repeat(np.minimum(values[..., :1], 255), 3, axis=-1)
            return packed_colours(values), True
        if (values[..., 0] == values[..., 1]).all() and (values[..., 0] == values[..., 2]).all():
            return values[..., 0], False
        raise ImageProblem("It is in colours, but the table of names has none.")


def _mask_names(relative: PurePosixPath) -> Iterator[PurePosixPath]:
    for suffix in _SUFFIXES:
        yield relative.with_suffix(suffix)
    yield relative.with_name(relative.name + ".png")


def _same_file(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _transparent(samples: Samples) -> np.ndarray:
    if samples.mode in ("LA", "RGBA"):
        return samples.values[..., -1] == 0
    return np.zeros(samples.values.shape[:2], dtype=bool)


def _unnamed(pixels: list[int], colours: bool) -> str:
    shown = ", ".join(f"#{p:06x}" if colours else str(p) for p in pixels[:_NAMED_PIXELS])
    more = f" and {len(pixels) - _NAMED_PIXELS:,} more" if len(pixels) > _NAMED_PIXELS else ""
    kind = "colour" if colours else "value"
    plural, verb = ("", "has") if len(pixels) == 1 else ("s", "have")
    return (
        f"Its mask: the {kind}{plural} {shown}{more} {verb} no name; these pixels count as"
        " unlabelled."
    )
