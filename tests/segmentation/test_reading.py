"""Several sources in one numbering, and the planes of a whole image set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError, Cancelled
from analysis.images.frames import Frame
from analysis.progress import Progress
from analysis.segmentation.broden import open_broden
from analysis.segmentation.colours import ColourPlanes
from analysis.segmentation.image_labels import ImageLabelPlanes
from analysis.segmentation.masks import open_masks
from analysis.segmentation.merged import LabelPlanes
from analysis.segmentation.planes import LabelConcept, PlaneImage, PlaneReading
from analysis.segmentation.quadrants import QuadrantPlanes
from analysis.segmentation.reading import read_planes


class Halves:
    """Stands for a segmentation model: what is bright is `light`, and it counts its calls."""

    needs_picture = True
    planes_per_image = 1
    key = "halves"
    batch = 3
    concepts = (LabelConcept("light", "object"),)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def prepare(self, picture: Image.Image, frame: Frame) -> np.ndarray:
        return np.asarray(picture.convert("L"))

    def segment(self, inputs: Sequence[np.ndarray], resolution: int) -> np.ndarray:
        self.batches.append(len(inputs))
        return np.stack([(one[:resolution, :resolution] > 127).astype(np.int32) for one in inputs])

    def read(self, image, frame, resolution, picture) -> PlaneReading:
        return PlaneReading(self.segment([self.prepare(picture, frame)], resolution))


class Shelf:
    """A cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[bytes, np.ndarray] = {}

    def read(self, keys: Sequence[bytes]) -> list[np.ndarray] | None:
        return [self.kept[k] for k in keys] if all(k in self.kept for k in keys) else None

    def write(self, matrices) -> None:
        assert all(matrix.dtype == np.float32 for matrix in matrices.values())
        self.kept.update(matrices)


@pytest.fixture
def photographs(tmp_path: Path) -> list[PlaneImage]:
    """Seven photographs of 8 × 8 pixels: the left k columns are bright."""
    found = []
    for bright in range(7):
        pixels = np.zeros((8, 8), dtype=np.uint8)
        pixels[:, :bright] = 255
        file = tmp_path / f"{bright}.png"
        Image.fromarray(pixels).save(file)
        found.append(PlaneImage(file.name, file, "even" if bright % 2 == 0 else "odd", 8, 8))
    return found


def test_one_numbering_over_all_sources(layout, frame8) -> None:
    images = [layout.image("pets/a.jpg"), layout.image("pets/b.jpg")]
    broden = open_broden(layout.folder)
    planes = LabelPlanes([broden, ColourPlanes(), ImageLabelPlanes(images)], frame8, 8)
    assert len(planes.space) == len(broden.concepts) + 11 + 1
    assert planes.space.code("cat", "object") == 1
    stack = read_planes(planes, images, Progress())
    assert stack.codes.shape == (2, 6, 8, 8)
    assert stack.codes.dtype == np.uint16
    assert stack.complete.all()
    assert stack.problems == ()
    red, pets = planes.space.code("red", "color"), planes.space.code("pets", "class")
    assert (stack.codes == red).any(axis=1).all()
    assert (stack.codes == pets).any(axis=1).all()
    cat = (stack.codes == planes.space.code("cat", "object")).any(axis=1)
    assert np.array_equal(cat[0], layout.first == 1)
    assert not cat[1].any()


def test_a_shared_concept_has_one_code_and_counts_once(layout, frame8, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    (masks / "pets").mkdir(parents=True)
    (masks / "names.csv").write_text("index,name\n1,cat\n")
    Image.fromarray(np.full((8, 8), 1, dtype=np.uint8)).save(masks / "pets" / "a.png")
    broden, other = open_broden(layout.folder), open_masks(masks, layout.images)
    planes = LabelPlanes([broden, other], frame8, 8)
    assert planes.space.concepts == broden.concepts
    codes = planes.read(layout.image("pets/a.jpg"), None).codes
    assert ((codes == planes.space.code("cat", "object")).sum(axis=0) == 1).all()


def test_colours_of_the_data_win(layout, frame8) -> None:
    layout.index(("pets/a.jpg", "pets/a_object.png", "", ""))
    with_colours = (layout.folder / "index.csv").read_text().replace("8,8,8,8,,", "8,8,8,8,5,")
    broden = open_broden(layout.folder)
    assert len(LabelPlanes([broden, ColourPlanes()], frame8, 8).sources) == 2
    (layout.folder / "index.csv").write_text(with_colours)
    with open(layout.folder / "label.csv", "a", encoding="utf-8") as file:
        file.write("5,scarlet,color(1),1,1.0,\n")
    planes = LabelPlanes([ColourPlanes(), open_broden(layout.folder)], frame8, 8)
    colours = [c.name for c in planes.space.concepts if c.category == "color"]
    assert colours == ["scarlet"]


def test_problems_of_images_stop_nothing(layout, frame8) -> None:
    (layout.images / "pets/b.jpg").write_bytes(b"no picture")
    stranger = PlaneImage("c.jpg", layout.images / "c.jpg", None, 8, 8)
    images = [layout.image("pets/b.jpg"), stranger, layout.image("pets/a.jpg")]
    planes = LabelPlanes([open_broden(layout.folder), ColourPlanes()], frame8, 8)
    stack = read_planes(planes, images, Progress())
    assert stack.complete.tolist() == [False, False, True]
    assert [(p.path, p.reason) for p in stack.problems] == [
        ("pets/b.jpg", "This is a text file, not an image."),
        ("c.jpg", "The file is not there."),
        ("c.jpg", "The index of the Broden layout does not list it."),
    ]
    assert (stack.codes[0] == planes.space.code("room", "scene")).any()
    assert not stack.codes[1].any()


def test_planes_without_pictures_need_no_images(layout, frame8) -> None:
    (layout.images / "pets/a.jpg").unlink()
    planes = LabelPlanes([open_broden(layout.folder)], frame8, 8)
    stack = read_planes(planes, [layout.image("pets/a.jpg")], Progress())
    assert stack.complete.all()


def test_labels_of_other_images_are_an_error(layout, frame8, photographs) -> None:
    planes = LabelPlanes([open_broden(layout.folder)], frame8, 8)
    with pytest.raises(AuditError, match="No label was found for any of the 7 images") as raised:
        read_planes(planes, photographs, Progress())
    assert "0.png: The index of the Broden layout does not list it." in raised.value.hint


def test_nothing_to_read(frame8, photographs) -> None:
    with pytest.raises(AuditError, match="There are no label planes"):
        LabelPlanes([], frame8)
    with pytest.raises(AuditError, match="There is no image"):
        read_planes(LabelPlanes([ColourPlanes()], frame8), [], Progress())
    with pytest.raises(AuditError, match="cannot be made"):
        LabelPlanes([ColourPlanes()], frame8, 0)
    nameless = [PlaneImage("a.png", Path("a.png"), None, 8, 8)]
    with pytest.raises(AuditError, match="No image of the set has a class"):
        ImageLabelPlanes(nameless)


def test_whole_image_labels(frame8, photographs) -> None:
    split = [PlaneImage(i.path, i.file, None, 8, 8, s) for i, s in
             zip(photographs, ["val", "train", *[None] * 5], strict=True)]  # fmt: skip
    planes = LabelPlanes([ImageLabelPlanes(split, by="split")], frame8, 2)
    stack = read_planes(planes, split, Progress())
    assert planes.space.concepts == (
        LabelConcept("train", "split"),
        LabelConcept("val", "split"),
    )
    assert stack.codes[:, 0, 0, 0].tolist() == [2, 1, 0, 0, 0, 0, 0]
    assert stack.complete.all()


@pytest.mark.parametrize("workers", [1, 3])
def test_costly_sources_are_read_in_batches(frame8, photographs, workers: int) -> None:
    model = Halves()
    planes = LabelPlanes([ImageLabelPlanes(photographs), model], frame8, 8)
    stack = read_planes(planes, photographs, Progress(), workers=workers)
    assert model.batches == [3, 3, 1]
    light = planes.space.code("light", "object")
    assert [(one == light).sum() // 8 for one in stack.codes] == list(range(7))
    even = planes.space.code("even", "class")
    assert [(one == even).any() for one in stack.codes] == [True, False] * 3 + [True]


def test_planes_are_made_once_for_all_models(frame8, photographs) -> None:
    model, shelf = Halves(), Shelf()
    planes = LabelPlanes([QuadrantPlanes(model)], frame8, 8)
    first = read_planes(planes, photographs, Progress(), shelf)
    photographs[2].file.write_bytes(photographs[6].file.read_bytes())
    second = read_planes(planes, photographs, Progress(), shelf)
    # An image with the content of another is that image: nothing is made again.
    assert model.batches == [3, 3, 1]
    assert np.array_equal(second.codes[2], first.codes[6])
    third = read_planes(LabelPlanes([model], Frame(8, 4), 4), photographs, Progress(), shelf)
    assert sum(model.batches) == 7 + 7  # another frame, other planes
    assert third.codes.shape == (7, 1, 4, 4)


def test_damaged_entries_of_the_cache_are_made_again(frame8, photographs) -> None:
    model, shelf = Halves(), Shelf()
    planes = LabelPlanes([model], frame8, 8)
    first = read_planes(planes, photographs, Progress(), shelf)
    wrong = [np.full((1, 64), value, np.float32) for value in (np.nan, 7, -1)]
    for key, matrix in zip(list(shelf.kept), [*wrong, np.ones((1, 3), np.float32)], strict=False):
        shelf.kept[key] = matrix
    assert read_planes(planes, photographs, Progress(), shelf).digest == first.digest
    assert sum(model.batches) == 7 + 4


def test_the_digest_is_that_of_the_labels(layout, frame8) -> None:
    images = [layout.image("pets/a.jpg")]
    planes = LabelPlanes([open_broden(layout.folder)], frame8, 8)
    first = read_planes(planes, images, Progress())
    assert read_planes(planes, images, Progress()).digest == first.digest
    layout.first[0, 0] = 1
    layout.save("pets/a_object.png", layout.first)
    assert read_planes(planes, images, Progress()).digest != first.digest
    assert json.dumps([planes.key]) == json.dumps([LabelPlanes(planes.sources, frame8, 8).key])
    assert LabelPlanes(planes.sources, frame8, 7).key != planes.key


def test_reading_can_be_stopped(frame8, photographs) -> None:
    progress = Progress(lambda done, total, text, left: progress.cancel())
    with pytest.raises(Cancelled):
        read_planes(LabelPlanes([ColourPlanes()], frame8, 8), photographs, progress)


def test_whoever_looks_sees_every_image_once(layout, frame8) -> None:
    (layout.images / "pets/b.jpg").write_bytes(b"")
    images = [layout.image("pets/b.jpg"), layout.image("pets/a.jpg")]
    planes = LabelPlanes([open_broden(layout.folder)], frame8, 8)
    seen = []
    stack = read_planes(planes, images, Progress(), look=lambda *one: seen.append(one))
    assert [(position, picture.size) for position, picture in seen] == [(1, (8, 8))]
    assert stack.complete.tolist() == [False, True]
    assert stack.problems[0].reason == "The file is empty (0 bytes)."
