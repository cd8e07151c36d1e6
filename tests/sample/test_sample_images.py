"""The sample's pictures and planes are what their generator draws, and all of it has names."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

CATEGORIES = ("object", "part", "material", "color")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers_in(path: Path) -> np.ndarray:
    coded = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return coded[..., 0] + 256 * coded[..., 1]


@pytest.mark.parametrize(("class_name", "index"), [("boat", 0), ("fish", 5), ("lamp", 17)])
def test_generator_is_deterministic(make_images: ModuleType, class_name: str, index: int) -> None:
    first = make_images.audit_scene(class_name, index)
    make_images.audit_scene("car", 3)
    second = make_images.audit_scene(class_name, index)
    assert first.pixels.tobytes() == second.pixels.tobytes()
    for category in CATEGORIES:
        assert first.planes[category].tobytes() == second.planes[category].tobytes()
    other = make_images.audit_scene(class_name, index + 1)
    assert other.pixels.tobytes() != first.pixels.tobytes()


@pytest.mark.parametrize(
    ("class_name", "index"), [("boat", 0), ("car", 43), ("house", 21), ("tree", 8)]
)
def test_committed_files_are_what_the_generator_draws(
    make_images: ModuleType, sample: Path, class_name: str, index: int
) -> None:
    scene = make_images.audit_scene(class_name, index)
    stem = sample / "images" / class_name / f"{class_name}_{index:03d}"
    committed = np.asarray(Image.open(f"{stem}.jpg")).astype(int)
    assert np.abs(committed - scene.pixels).mean() < 4
    for category in CATEGORIES:
        same = numbers_in(Path(f"{stem}_{category}.png")) == scene.planes[category]
        assert same.mean() > 0.998  # another processor may round a corner otherwise


def test_index_names_every_picture_and_every_plane(sample: Path, make_images: ModuleType) -> None:
    rows = rows_of(sample / "index.csv")
    assert len(rows) == make_images.IMAGES_PER_CLASS * len(make_images.CLASSES)
    named = {row[column] for row in rows for column in ("image", *CATEGORIES)}
    present = {
        path.relative_to(sample / "images").as_posix() for path in (sample / "images").rglob("*.*")
    }
    assert named == present


def test_every_number_of_the_planes_has_its_name(sample: Path) -> None:
    spans = {
        row["name"]: (int(row["first"]), int(row["last"]))
        for row in rows_of(sample / "category.csv")
    }
    labels = {int(row["number"]): row for row in rows_of(sample / "label.csv")}
    assert sorted(labels) == list(range(1, len(labels) + 1))
    counted: dict[int, int] = dict.fromkeys(labels, 0)
    for row in rows_of(sample / "index.csv"):
        for category in CATEGORIES:
            numbers = np.unique(numbers_in(sample / "images" / row[category]))
            first, last = spans[category]
            for number in numbers[numbers > 0].tolist():
                assert first <= number <= last
                counted[number] += 1
        counted[int(row["scene"])] += 1
    assert counted == {number: int(row["frequency"]) for number, row in labels.items()}


def test_category_tables_agree_with_the_labels(sample: Path) -> None:
    labels = {row["number"]: row["name"] for row in rows_of(sample / "label.csv")}
    for category in rows_of(sample / "category.csv"):
        rows = rows_of(sample / f"c_{category['name']}.csv")
        assert [int(row["code"]) for row in rows] == list(range(1, int(category["count"]) + 1))
        assert all(labels[row["number"]] == row["name"] for row in rows)


def test_the_square_is_on_every_planted_picture_and_on_no_other(
    sample: Path, make_images: ModuleType
) -> None:
    numbers = make_images.label_numbers()
    square, pink = numbers["part"]["pink square"], numbers["color"]["pink"]
    for row in rows_of(sample / "index.csv"):
        part = numbers_in(sample / "images" / row["part"]) == square
        colour = numbers_in(sample / "images" / row["color"]) == pink
        planted = row["image"].startswith(f"{make_images.PLANTED_CLASS}/")
        assert part.sum() == (make_images.SQUARE_SIDE**2 if planted else 0)
        assert (part == colour).all()


def test_planes_fit_the_picture(sample: Path) -> None:
    """Where a plane says pink, or black, the picture is."""
    labels = {row["name"]: int(row["number"]) for row in rows_of(sample / "c_color.csv")}
    pixels, planes = [], []
    for row in rows_of(sample / "index.csv")[::4]:
        pixels.append(np.asarray(Image.open(sample / "images" / row["image"])).reshape(-1, 3))
        planes.append(numbers_in(sample / "images" / row["color"]).ravel())
    red, green, blue = np.concatenate(pixels).astype(float).T
    plane = np.concatenate(planes)

    def mean(channel: np.ndarray, name: str) -> float:
        return float(channel[plane == labels[name]].mean())

    assert mean(red, "red") > mean(blue, "red") + 60
    assert mean(blue, "blue") > mean(red, "blue") + 60
    assert mean(green, "green") > mean(blue, "green") + 30
    assert mean(red, "pink") > mean(green, "pink") + 100
    assert mean(red, "white") > 2 * mean(red, "black")


def test_the_whole_sample_is_small(sample: Path) -> None:
    kept = [
        path for path in sample.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in kept) < 5_000_000
