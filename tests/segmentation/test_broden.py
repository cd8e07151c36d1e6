"""Broden layouts: numbers, planes, names, and what may be wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.segmentation.broden import find_broden, open_broden
from analysis.segmentation.planes import LabelConcept
from analysis.segmentation.sampling import grid_pixels


def named(planes, codes: np.ndarray) -> np.ndarray:
    """`category:name` of each cell."""
    texts = np.array(["", *(f"{c.category}:{c.name}" for c in planes.concepts)])
    return texts[codes]


def test_concepts_are_names_within_categories(layout) -> None:
    assert open_broden(layout.folder).concepts == (
        LabelConcept("cat", "object"),
        LabelConcept("food", "object"),
        LabelConcept("food", "material"),
        LabelConcept("fur", "material"),
        LabelConcept("room", "scene"),
    )


def test_planes_overlap_and_numbers_label_whole_images(layout, frame8) -> None:
    planes = open_broden(layout.folder)
    assert planes.planes_per_image == 4
    assert planes.categories == ("object", "material", "scene")  # color is empty
    reading = planes.read(layout.image("pets/a.jpg"), frame8, 8)
    cells = named(planes, reading.codes)
    inside = layout.first == 1
    assert (cells[0] == np.where(inside, "object:cat", "")).all()
    assert (cells[1] == "object:food").all()
    assert (cells[2] == np.where(inside, "material:fur", "material:food")).all()
    assert (cells[3] == "scene:room").all()
    assert (reading.problems, reading.complete) == ((), True)


def test_an_empty_cell_labels_nothing(layout, frame8) -> None:
    planes = open_broden(layout.folder)
    reading = planes.read(layout.image("pets/b.jpg"), frame8, 8)
    assert not reading.codes[:3].any()
    assert reading.codes[3].all()
    assert reading.complete


@pytest.mark.parametrize("scale", [0.5, 2, 4])
def test_planes_of_another_size_than_the_image(layout, frame8, scale: float) -> None:
    side = round(8 * scale)
    numbers = np.random.default_rng(1).integers(0, 4, (side, side))
    layout.save("pets/a_object.png", numbers)
    planes = open_broden(layout.folder)
    codes = planes.read(layout.image("pets/a.jpg"), frame8, 4).codes[0]
    rows, columns = grid_pixels(frame8, 4, 8, 8, side, side)
    # Number 3 is listed as a material only: in a plane of objects it stands for that.
    expected = np.array(["", "object:cat", "object:food", "material:fur"])
    assert (named(planes, codes) == expected[numbers[rows][:, columns]]).all()


def test_a_plane_of_another_shape_is_told(layout, frame8) -> None:
    layout.save("pets/a_object.png", np.ones((8, 16), dtype=int))
    reading = open_broden(layout.folder).read(layout.image("pets/a.jpg"), frame8, 8)
    assert reading.problems == (
        "Its plane “pets/a_object.png”: It has 16 × 8 pixels, which is not the shape of its image"
        " (8 × 8).",
    )
    assert not reading.complete
    assert not reading.codes[0].any()
    assert reading.codes[1].all()


def test_missing_damaged_and_huge_planes_are_told(layout, frame8, huge_png) -> None:
    (layout.images / "pets/a_object.png").unlink()
    file = layout.images / "pets/a_object2.png"
    file.write_bytes(file.read_bytes()[:-30])
    (layout.images / "pets/a_material.png").write_bytes(huge_png(100_000, 100_000))
    reading = open_broden(layout.folder).read(layout.image("pets/a.jpg"), frame8, 8)
    missing, cut, huge = reading.problems
    assert "a_object.png”: The file is not there." in missing
    assert "a_object2.png”: The file is cut short" in cut
    assert "a_material.png”: The image has 10,000 million pixels" in huge
    assert not reading.complete
    assert not reading.codes[:3].any()


def test_codes_without_a_name_are_told_and_not_counted(layout, frame8) -> None:
    numbers = layout.first.copy()
    numbers[0, :7] = [999, 1000, 1001, 1002, 1003, 1004, 65_535]
    layout.save("pets/a_object.png", numbers)
    layout.index(("pets/a.jpg", "pets/a_object.png", "", "77"))
    reading = open_broden(layout.folder).read(layout.image("pets/a.jpg"), frame8, 8)
    plane, whole = reading.problems
    assert "the codes 999, 1000, 1001, 1002, 1003 and 2 more have no name" in plane
    assert "“77”: the code 77 has no name" in whole
    assert reading.complete
    assert (np.count_nonzero(reading.codes[0]), np.count_nonzero(reading.codes[1])) == (16, 0)


@pytest.mark.parametrize(
    "entry",
    ["../../secret.png", "pets/../../x.png", "/etc/passwd.png", "C:\\x.png", "..\\..\\x.png"],
)
def test_paths_must_not_leave_the_layout(layout, frame8, entry: str) -> None:
    (layout.folder.parent / "secret.png").write_bytes(
        (layout.images / "pets/a_object.png").read_bytes()
    )
    layout.index(("pets/a.jpg", entry, "pets/a_material.png", ""))
    reading = open_broden(layout.folder).read(layout.image("pets/a.jpg"), frame8, 8)
    assert "leads out of the folder of the layout" in reading.problems[0]
    assert not reading.codes[0].any()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [("pets/a.jpg", "neither the number of a label nor a PNG"), ("-3", "neither the number"),
     ("99999999999999999999", "at most 65535"), ("70000", "at most 65535")],
)  # fmt: skip
def test_cells_that_are_no_labels(layout, frame8, entry: str, reason: str) -> None:
    layout.index(("pets/a.jpg", entry, "pets/a_material.png", ""))
    planes = open_broden(layout.folder)
    reading = planes.read(layout.image("pets/a.jpg"), frame8, 8)
    assert reason in reading.problems[0]
    assert reading.codes[1].all()


def test_grey_and_indexed_planes(layout, frame8) -> None:
    planes = open_broden(layout.folder)
    expected = planes.read(layout.image("pets/a.jpg"), frame8, 8).codes[0]
    file = layout.images / "pets/a_object.png"
    Image.fromarray(layout.first.astype(np.uint8)).save(file)
    assert np.array_equal(planes.read(layout.image("pets/a.jpg"), frame8, 8).codes[0], expected)
    indexed = Image.fromarray((layout.first * 5).astype(np.uint8))
    indexed.putpalette([0, 0, 0] * 5 + [1, 0, 0])
    indexed.save(file)
    assert np.array_equal(planes.read(layout.image("pets/a.jpg"), frame8, 8).codes[0], expected)


def test_the_layout_of_an_image_set_is_found(layout, tmp_path: Path) -> None:
    for root in (layout.folder, layout.images, layout.images / "pets"):
        assert find_broden(root) == layout.folder
    (layout.images / "elsewhere").mkdir()
    assert find_broden(layout.images / "elsewhere") is None
    assert find_broden(tmp_path / "nowhere") is None
    (tmp_path / "broden" / "beside").mkdir()
    assert find_broden(tmp_path / "broden" / "beside") is None
    (tmp_path / "index.csv").write_text("a,b\n1,2\n")
    assert find_broden(tmp_path) is None


def test_images_are_found_by_place_and_by_path(layout, frame8, tmp_path: Path) -> None:
    planes = open_broden(layout.folder)
    whole = layout.image("pets/a.jpg")
    within = type(whole)("a.jpg", layout.images / "pets/a.jpg", None, 8, 8)
    copied = type(whole)("pets/a.jpg", tmp_path / "copy" / "a.jpg", None, 8, 8)
    first, *others = (planes.read(image, frame8, 8).codes for image in (whole, within, copied))
    assert all(np.array_equal(first, other) for other in others)
    stranger = type(whole)("c.jpg", tmp_path / "c.jpg", None, 8, 8)
    with pytest.raises(AuditError, match="does not list it"):
        planes.read(stranger, frame8, 8)


def test_categories_come_from_whatever_table_lists_them(layout, frame8) -> None:
    (layout.folder / "label.csv").write_text(
        "number,name,category\n1,cat,\n2,food,\n3,fur,\n300,room,\n9,loose,\n"
    )
    (layout.folder / "c_object.csv").write_text("code,number,name\n1,1,cat\n2,2,food\n")
    (layout.folder / "category.csv").write_text("name,first,last\nmaterial,2,3\nscene,300,300\n")
    concepts = [(c.name, c.category) for c in open_broden(layout.folder).concepts]
    assert concepts == [
        ("cat", "object"), ("food", "object"), ("loose", "object"),
        ("fur", "material"), ("loose", "material"), ("loose", "scene"), ("room", "scene"),
    ]  # fmt: skip


def test_labels_of_categories_without_a_column_are_no_concepts(layout) -> None:
    with open(layout.folder / "label.csv", "a", encoding="utf-8") as file:
        file.write("400,red-c,color(1),1,1.0,\n")
    assert not [c for c in open_broden(layout.folder).concepts if c.category == "color"]


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("label.csv", None, "The file is not there"),
        ("label.csv", b"number,name\nx,cat\n", "“x” is no number"),
        ("label.csv", b"number,name\n70000,cat\n", "70000 is not between 0 and 65535"),
        ("label.csv", b"a,b\n1,2\n", "needs the columns number and name"),
        ("label.csv", b"\xff\xfe\x00\x01", "damaged"),
        ("label.csv", b"number,name,category\n", "has no concept"),
        ("label.csv", b"number,name\n1," + b"x" * 200_000 + b"\n", "damaged"),
        ("index.csv", b"image,split\na.jpg,train\n", "labels nothing"),
        ("index.csv", b"image,split,object\na.jpg,train," + b";" * 40 + b"\n", "41 planes"),
        ("index.csv", b"image,name\n", "is no Broden layout"),
        ("index.csv", None, "is no Broden layout"),
    ],
)
def test_damaged_tables(layout, file: str, content: bytes | None, reason: str) -> None:
    if content is None:
        (layout.folder / file).unlink()
    else:
        (layout.folder / file).write_bytes(content)
    with pytest.raises(AuditError, match=reason):
        open_broden(layout.folder)
