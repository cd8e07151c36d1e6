"""Label planes of a Broden layout (Bau et al., “Network Dissection”, CVPR 2017).

`index.csv` has a row for each image and a column for each category of labels. A cell names what
labels the image: the number of a label (the whole image) or a PNG file (a number for each pixel,
R + 256 · G); several, separated by `;`, are planes that may overlap.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import ImageProblem
from analysis.images.frames import Frame
from analysis.segmentation.broden_tables import (
    MAX_NUMBER,
    BrodenTables,
    image_path,
    index_rows,
    is_index,
    read_tables,
)
from analysis.segmentation.planes import LabelConcept, PlaneImage, PlaneReading, clean_name
from analysis.segmentation.sampling import Samples, sample_plane

_LEVELS_ABOVE = 3
_NAMED_CODES = 5  # so many unknown codes are named in a problem; the others are counted


def find_broden(root: Path) -> Path | None:
    """The Broden layout that an image set belongs to: the folder with an `index.csv` that lists
    images of `root`, at `root` itself or up to three folders above (an image set made from the
    `images/` of a layout, or from a class within it). None if there is none."""
    root = Path(os.path.abspath(root))
    for layout in [root, *list(root.parents)[:_LEVELS_ABOVE]]:
        if is_index(layout / "index.csv") and _lists_images_of(layout, root):
            return layout
    return None


def _lists_images_of(layout: Path, root: Path) -> bool:
    base = images_folder(layout)
    if root == layout:
        below = ""
    elif root.is_relative_to(base):
        below = "".join(part + "/" for part in root.relative_to(base).parts)
    else:
        return False
    try:
        paths = (image_path(row) for row in index_rows(layout / "index.csv"))
        return any(path and path.startswith(below) for path in paths)
    except (OSError, ValueError, csv.Error):
        return False


def images_folder(layout: Path) -> Path:
    """The folder that the paths of a layout's index are relative to."""
    images = layout / "images"
    return images if images.is_dir() else layout


def open_broden(folder: Path) -> BrodenPlanes:
    """The label planes of a Broden layout; the planes themselves are not looked at yet.

    :raises AuditError: if the folder has no `index.csv` and `label.csv`, or they are damaged or
        label nothing.
    """
    folder = Path(os.path.abspath(folder))
    if not is_index(folder / "index.csv"):
        raise AuditError(
            f"“{folder}” is no Broden layout.",
            "Choose the folder that holds index.csv (with the columns image and split) and"
            " label.csv.",
        )
    return BrodenPlanes(images_folder(folder), read_tables(folder))


class BrodenPlanes:
    """The planes of a Broden layout.

    Images are found by where they lie; those that lie elsewhere by their path within their image
    set. Cells may mix numbers and files; an empty cell labels nothing.
    """

    needs_picture = False

    def __init__(self, base: Path, tables: BrodenTables) -> None:
        self._base = base
        self._tables = tables
        self.concepts: tuple[LabelConcept, ...] = tables.concepts
        self.planes_per_image = sum(tables.planes)
        self.key = tables.key

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns of the index that label anything."""
        return self._tables.categories

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None = None
    ) -> PlaneReading:
        """As `PlaneSource.read`; missing and damaged planes are told as problems.

        :raises AuditError: if the index does not list the image.
        """
        cells = self._cells(image)
        codes = np.zeros((self.planes_per_image, resolution, resolution), dtype=np.int32)
        problems: list[str] = []
        unknown: dict[str, set[int]] = {}
        complete = True
        for slot, category, entry in self._entries(cells):
            try:
                numbers = self._numbers(entry, image, frame, resolution)
            except ImageProblem as problem:
                problems.append(f"Its plane “{clean_name(entry)}”: {problem.summary}")
                complete = False
                continue
            known = self._tables.codes[category][numbers]
            codes[slot] = known
            unknown.setdefault(entry, set()).update(numbers[(known == 0) & (numbers != 0)].tolist())
        problems += [_unnamed(entry, found) for entry, found in unknown.items() if found]
        return PlaneReading(codes, tuple(problems), complete)

    def _cells(self, image: PlaneImage) -> tuple[str, ...]:
        file = Path(os.path.abspath(image.file))
        if file.is_relative_to(self._base):
            cells = self._tables.cells.get(file.relative_to(self._base).as_posix())
            if cells is not None:
                return cells
        cells = self._tables.cells.get(image.path)
        if cells is None:
            raise AuditError("The index of the Broden layout does not list it.")
        return cells

    def _entries(self, cells: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
        """(slot among all planes, number of the category, number or file) of each plane."""
        first = 0
        for category, (cell, planes) in enumerate(zip(cells, self._tables.planes, strict=True)):
            for position, entry in enumerate(cell.split(";")):
                if entry.strip():
                    yield first + position, category, entry.strip()
            first += planes

    def _numbers(self, entry: str, image: PlaneImage, frame: Frame, resolution: int) -> np.ndarray:
        """Numbers of labels, int64 (resolution, resolution) or () for the whole image."""
        if entry.isascii() and entry.isdigit():
            number = int(entry) if len(entry) <= 5 else MAX_NUMBER + 1
            if number > MAX_NUMBER:
                raise ImageProblem(f"Numbers of labels are at most {MAX_NUMBER}.")
            return np.array(number, dtype=np.int64)
        file = self._base / _inner_path(entry)
        return _decode(sample_plane(file, image, frame, resolution))


def _inner_path(entry: str) -> PurePosixPath:
    """The path of a plane, which must not lead out of the layout."""
    path = PurePosixPath(entry.replace("\\", "/"))
    outside = path.is_absolute() or PureWindowsPath(entry).drive or ".." in path.parts
    if outside:
        raise ImageProblem("Its path leads out of the folder of the layout.")
    if path.suffix.lower() != ".png":
        raise ImageProblem("It is neither the number of a label nor a PNG file.")
    return path


def _decode(samples: Samples) -> np.ndarray:
    """R + 256 · G; a plane with one channel holds the numbers as they are."""
    values = samples.values
    if samples.palette is not None:
        values = samples.palette[values[..., 0]]
    if values.shape[-1] >= 3:
        return values[..., 0] + 256 * values[..., 1]
    return np.clip(values[..., 0], 0, MAX_NUMBER)


def _unnamed(entry: str, numbers: Iterable[int]) -> str:
    found = sorted(numbers)
    shown = ", ".join(str(number) for number in found[:_NAMED_CODES])
    more = f" and {len(found) - _NAMED_CODES:,} more" if len(found) > _NAMED_CODES else ""
    words = ("code", "has") if len(found) == 1 else ("codes", "have")
    return (
        f"Its plane “{clean_name(entry)}”: the {words[0]} {shown}{more} {words[1]} no name of a"
        " category of index.csv in label.csv; these pixels count as unlabelled."
    )
