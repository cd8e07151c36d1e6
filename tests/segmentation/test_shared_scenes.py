"""Real layouts: the photographs of the shared folder, and the sample."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.images.frames import Frame
from analysis.images.scanning import ScannedImage, open_source, scan
from analysis.progress import Progress
from analysis.resources import resource_path
from analysis.segmentation.broden import find_broden, open_broden
from analysis.segmentation.merged import LabelPlanes
from analysis.segmentation.planes import PlaneImage
from analysis.segmentation.reading import PlaneStack, read_planes


def images_of(folder: Path) -> list[PlaneImage]:
    source = open_source(folder)
    return [
        PlaneImage(i.path, source.root / i.path, i.label, i.width, i.height, i.split, i.sha256)
        for i in scan(source, Progress())
        if isinstance(i, ScannedImage)
    ]


def read(folder: Path, frame: Frame, resolution: int) -> tuple[list[PlaneImage], PlaneStack]:
    images = images_of(folder)
    planes = LabelPlanes([open_broden(folder)], frame, resolution)
    return images, read_planes(planes, images, Progress())


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def check_frequencies(folder: Path, stack: PlaneStack) -> None:
    """`label.csv` says in how many images each label occurs: so it must be found."""
    for row in rows(folder / "label.csv"):
        code = stack.space.code(row["name"], row["category"].split("(")[0])
        found = int((stack.codes == code).any(axis=(1, 2, 3)).sum())
        assert found == int(row["frequency"]), row["name"]


def test_scenes_in_full(shared: Path) -> None:
    folder = shared / "data" / "scenes"
    images, stack = read(folder, Frame(224, 224), 224)
    assert (stack.problems, stack.complete.all(), len(images)) == ((), True, 400)
    assert stack.codes.shape == (400, 2, 224, 224)
    check_frequencies(folder, stack)


def test_scenes_on_the_grid_against_the_files(shared: Path) -> None:
    folder = shared / "data" / "scenes"
    images, stack = read(folder, Frame(), 56)
    names = {int(row["number"]): row["name"] for row in rows(folder / "label.csv")}
    shown = np.array(["", *stack.space.names])[stack.codes]
    for position in range(0, 400, 23):
        path = images[position].path.removesuffix(".jpg")
        for plane, category in enumerate(("object", "material")):
            pixels = np.asarray(Image.open(folder / "images" / f"{path}_{category}.png"))
            numbers = pixels[..., 0] + 256 * pixels[..., 1].astype(int)
            expected = [[names.get(n, "") for n in line] for line in numbers[2::4, 2::4].tolist()]
            assert (shown[position, plane] == expected).all()


def test_class_folders_within_a_layout(shared: Path) -> None:
    folder = shared / "data" / "scenes" / "images" / "bird"
    layout = find_broden(folder)
    assert layout == shared / "data" / "scenes"
    images = images_of(folder)
    stack = read_planes(LabelPlanes([open_broden(layout)], Frame()), images, Progress())
    assert (len(images), stack.complete.all()) == (40, True)


def test_the_sample_in_full() -> None:
    folder = resource_path("sample")
    images, stack = read(folder, Frame(112, 112), 112)
    assert (stack.problems, stack.complete.all(), len(images)) == ((), True, 264)
    assert set(stack.space.categories) == {"object", "part", "material", "color", "scene"}
    check_frequencies(folder, stack)
    # Only boats carry the planted pink square.
    pink = (stack.codes == stack.space.code("pink", "color")).any(axis=(1, 2, 3))
    assert pink.tolist() == [image.label == "boat" for image in images]


@pytest.mark.parametrize("resolution", [7, 56])
def test_the_sample_labels_every_scene(resolution: int) -> None:
    _, stack = read(resource_path("sample"), Frame(), resolution)
    scene = [c.category == "scene" for c in stack.space.concepts]
    is_scene = np.array([False, *scene])[stack.codes]
    assert (is_scene.sum(axis=1) == 1).all()
