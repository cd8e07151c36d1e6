"""Folders of masks beside an image set, and their tables of names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.segmentation.masks import open_masks
from analysis.segmentation.planes import LabelConcept, PlaneImage

VALUES = np.array([[0, 1, 2, 255]] * 4, dtype=np.uint8)
COLOURS = np.array([[(0, 0, 0), (255, 0, 0), (0, 128, 255), (255, 255, 255)]] * 4, dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "images" / "cat" / "1.jpg")
    return tmp_path / "images"


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    (tmp_path / "masks" / "cat").mkdir(parents=True)
    (tmp_path / "masks" / "names.csv").write_text(
        "Index,Name,Category\n1,cat,\n2,food,material\n0,background,\n"
    )
    return tmp_path / "masks"


def image(root: Path, path: str = "cat/1.jpg") -> PlaneImage:
    return PlaneImage(path, root / path, "cat", 4, 4)


def indexed() -> Image.Image:
    picture = Image.fromarray(VALUES)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 128, 255] + [9] * (252 * 3) + [255, 255, 255])
    return picture


def rgb_grey() -> Image.Image:
    return Image.fromarray(np.repeat(VALUES[..., None], 3, axis=-1))


def deep() -> Image.Image:
    return Image.fromarray(VALUES.astype(np.uint16))


@pytest.mark.parametrize(
    "mask", [indexed(), Image.fromarray(VALUES), rgb_grey(), deep()], ids=["P", "L", "RGB", "I;16"]
)
def test_masks_of_values(root: Path, masks: Path, frame4, mask: Image.Image) -> None:
    mask.save(masks / "cat" / "1.png")
    planes = open_masks(masks, root)
    assert planes.concepts == (LabelConcept("cat", "object"), LabelConcept("food", "material"))
    reading = planes.read(image(root), frame4, 4)
    assert reading.codes.tolist() == [[[0, 1, 2, 0]] * 4]
    assert (reading.problems, reading.complete) == ((), True)


@pytest.fixture
def frame4():
    from analysis.images.frames import Frame

    return Frame(4, 4)


TABLES = {
    "hex.csv": "colour,name,category\n#ff0000,cat,\n#0080FF,food,material\n",
    "triple.csv": 'color,name,category\n255 0 0,cat,\n"0,128,255",food,material\n',
    "channels.csv": "r,g,b,label,category\n255,0,0,cat,\n0,128,255,food,material\n",
    "map.json": json.dumps({"#ff0000": "cat", "0,128,255": {"name": "food",
                                                            "category": "material"}}),
    "list.json": json.dumps([{"rgb": [255, 0, 0], "class": "cat"},
                             {"colour": "#0080ff", "name": "food", "category": "material"}]),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P"])
def test_masks_of_colours(root: Path, masks: Path, frame4, table: str, kind: str) -> None:
    (masks / "names.csv").unlink()
    (masks / table).write_text(TABLES[table])
    mask = indexed() if kind == "P" else Image.fromarray(COLOURS).convert(kind)
    mask.save(masks / "cat" / "1.png")
    planes = open_masks(masks, root)
    assert planes.concepts == (LabelConcept("cat", "object"), LabelConcept("food", "material"))
    assert planes.read(image(root), frame4, 4).codes.tolist() == [[[0, 1, 2, 0]] * 4]


def test_json_of_values_and_a_named_zero(root: Path, masks: Path, frame4) -> None:
    (masks / "names.csv").unlink()
    (masks / "classes.json").write_text('{"0": "wall", "2": "cat", "1": "void"}')
    Image.fromarray(VALUES).save(masks / "cat" / "1.jpg.png")
    reading = open_masks(masks, root).read(image(root), frame4, 4)
    assert reading.codes.tolist() == [[[1, 0, 2, 0]] * 4]
    assert reading.problems == ()


def test_transparent_pixels_show_nothing(root: Path, masks: Path, frame4) -> None:
    values = np.stack([VALUES, np.array([[255, 0, 255, 255]] * 4, dtype=np.uint8)], axis=-1)
    Image.fromarray(values).save(masks / "cat" / "1.png")
    assert open_masks(masks, root).read(image(root), frame4, 4).codes.tolist() == [
        [[0, 0, 2, 0]] * 4
    ]


def test_unnamed_values_and_colours_are_told(root: Path, masks: Path, frame4) -> None:
    Image.fromarray(VALUES + 3).save(masks / "cat" / "1.png")
    reading = open_masks(masks, root).read(image(root), frame4, 4)
    assert "the values 3, 4, 5 have no name" in reading.problems[0]
    assert reading.codes.max() == 2  # 255 + 3 wraps to 2
    assert reading.complete
    (masks / "names.csv").write_text("colour,name\n#ff0000,cat\n")
    Image.fromarray(COLOURS).save(masks / "cat" / "1.png")
    reading = open_masks(masks, root).read(image(root), frame4, 4)
    assert "the colour #0080ff has no name" in reading.problems[0]


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (None, "It has no mask: “cat/1.png” is not there."),
        (b"", "“1.png”: The file is empty"),
        (b"not a picture", "“1.png”: This is a text file"),
        (Image.new("L", (4, 8)), "4 × 8 pixels, which is not the shape"),
        (Image.fromarray(COLOURS), "in colours, but the table of names has none"),
        (Image.new("CMYK", (4, 4)), "are no labels"),
    ],
)
def test_masks_that_cannot_be_used(root: Path, masks: Path, frame4, mask, reason: str) -> None:
    file = masks / "cat" / "1.png"
    if isinstance(mask, bytes):
        file.write_bytes(mask)
    elif isinstance(mask, Image.Image):
        mask.save(file, "TIFF" if mask.mode == "CMYK" else "PNG")
    with pytest.raises(AuditError, match=reason):
        open_masks(masks, root).read(image(root), frame4, 4)


def test_masks_among_the_photographs(root: Path, frame4) -> None:
    """A photograph in PNG is not its own mask."""
    Image.new("L", (4, 4), 1).save(root / "cat" / "2.png")
    (root / "names.csv").write_text("index,name\n1,cat\n")
    with pytest.raises(AuditError, match="has no mask"):
        open_masks(root, root).read(image(root, "cat/2.png"), frame4, 4)


def test_paths_must_not_leave_the_folder(root: Path, masks: Path, frame4, tmp_path: Path) -> None:
    Image.fromarray(VALUES).save(tmp_path / "1.png")
    for path in ("../1.jpg", str(tmp_path / "1.jpg")):
        outside = PlaneImage(path, tmp_path / "1.jpg", None, 4, 4)
        with pytest.raises(AuditError, match="outside its image set"):
            open_masks(masks, root).read(outside, frame4, 4)


def test_absolute_paths_within_the_set(root: Path, masks: Path, frame4) -> None:
    Image.fromarray(VALUES).save(masks / "cat" / "1.png")
    inside = PlaneImage(str(root / "cat/1.jpg"), root / "cat/1.jpg", None, 4, 4)
    assert open_masks(masks, root).read(inside, frame4, 4).codes.any()


@pytest.mark.parametrize(
    ("table", "content", "reason"),
    [
        ("names.csv", "index,name\n", "names no concept"),
        ("names.csv", "index,name\n0,background\n", "names no concept"),
        ("names.csv", "name\ncat\n", "line 2 has neither an index nor a colour"),
        ("names.csv", "colour,name\nreddish,cat\n", "“reddish” is no colour"),
        ("names.csv", "colour,name\n1 2 999,cat\n", "is no colour"),
        ("names.csv", "index,name\n-1,cat\n", "neither an index nor a colour"),
        ("names.json", "[1, 2]", "entry 1 is no object"),
        ("names.json", '"cat"', "neither a list nor an object"),
        ("names.json", "{", "damaged"),
        ("names.json", "[" * 100_000, "damaged"),
    ],
)
def test_tables_that_cannot_be_used(root, masks, table: str, content: str, reason: str) -> None:
    (masks / "names.csv").unlink()
    (masks / table).write_text(content)
    with pytest.raises(AuditError, match=reason):
        open_masks(masks, root)


def test_which_table(root: Path, masks: Path, tmp_path: Path) -> None:
    (masks / "names.csv").unlink()
    with pytest.raises(AuditError, match="no table of names") as raised:
        open_masks(masks, root)
    assert "names.csv" in raised.value.hint
    for name in ("a.csv", "b.csv"):
        (masks / name).write_text("index,name\n1,cat\n")
    with pytest.raises(AuditError, match="several tables"):
        open_masks(masks, root)
    with pytest.raises(AuditError, match="no folder of masks"):
        open_masks(tmp_path / "nowhere", root)
