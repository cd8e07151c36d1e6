"""Objects cut into halves at the mid-lines of their bounding boxes."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.segmentation.broden import open_broden
from analysis.segmentation.colours import ColourPlanes
from analysis.segmentation.planes import LabelConcept, PlaneReading
from analysis.segmentation.quadrants import QuadrantPlanes


class Codes:
    """A source with given concepts, whose planes are handed over by the test."""

    needs_picture = False
    planes_per_image = 1
    key = "codes"
    concepts = (
        LabelConcept("cat", "object"),
        LabelConcept("fur", "material"),
        LabelConcept("dog", "object"),
    )

    def read(self, image, frame, resolution, picture) -> PlaneReading:
        raise AssertionError("not read here")


def pieces_of(plane: np.ndarray, code: int) -> list[set[tuple[int, int]]]:
    """Connected pieces by flooding from cell to cell."""
    left = {(int(y), int(x)) for y, x in np.argwhere(plane == code)}
    pieces = []
    while left:
        piece, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            piece.add((y, x))
            for cell in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if cell in left:
                    left.remove(cell)
                    edge.append(cell)
        pieces.append(piece)
    return pieces


def literal(plane: np.ndarray, planes: QuadrantPlanes) -> np.ndarray:
    code_of = {(c.name, c.category): code for code, c in enumerate(planes.concepts, start=1)}
    halves = np.zeros((2, *plane.shape), dtype=int)
    for code, name in ((1, "cat"), (3, "dog")):
        for piece in pieces_of(plane, code):
            for axis, (low, high) in enumerate((("-t", "-b"), ("-l", "-r"))):
                first = min(cell[axis] for cell in piece)
                middle = (first + max(cell[axis] for cell in piece) + 1) / 2
                for cell in piece:
                    centre = cell[axis] + 0.5
                    if centre != middle:
                        suffix = low if centre < middle else high
                        halves[axis][cell] = code_of[name + suffix, "part"]
    return halves


@pytest.mark.parametrize("seed", range(5))
def test_against_flooding_cell_by_cell(seed: int) -> None:
    planes = QuadrantPlanes(Codes())
    plane = np.random.default_rng(seed).choice(4, (17, 17), p=[0.2, 0.45, 0.15, 0.2])
    found = planes.expand(PlaneReading(plane[np.newaxis].astype(np.int32)))
    assert found.codes.shape == (3, 17, 17)
    assert np.array_equal(found.codes[0], plane)
    assert np.array_equal(found.codes[1:], literal(plane, planes))


def test_concepts_of_halves_are_parts() -> None:
    planes = QuadrantPlanes(Codes())
    assert planes.concepts[:3] == Codes.concepts
    assert [c.name for c in planes.concepts[3:]] == [
        "cat-t", "cat-b", "cat-l", "cat-r", "dog-t", "dog-b", "dog-l", "dog-r",
    ]  # fmt: skip
    assert {c.category for c in planes.concepts[3:]} == {"part"}


def test_of_a_layout(layout, frame8) -> None:
    planes = QuadrantPlanes(open_broden(layout.folder))
    reading = planes.read(layout.image("pets/a.jpg"), frame8, 8, None)
    names = np.array(["", *(c.name for c in planes.concepts)])[reading.codes]
    assert reading.codes.shape == (planes.planes_per_image, 8, 8) == (12, 8, 8)
    assert names[4][2:6, 2].tolist() == ["cat-t", "cat-t", "cat-b", "cat-b"]
    assert names[5][2, 2:6].tolist() == ["cat-l", "cat-l", "cat-r", "cat-r"]
    assert np.count_nonzero(reading.codes[4]) == 16


def test_there_must_be_objects() -> None:
    with pytest.raises(AuditError, match="no object to split"):
        QuadrantPlanes(ColourPlanes())
