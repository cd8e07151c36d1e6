"""Make the sample's audit images and their label planes: `python make_images.py [FOLDER]`.

Writes class folders of pictures with planes for object, part, material and colour beside them,
and the tables of the Broden layout (`index.csv`, `label.csv`, `category.csv`, `c_*.csv`). The
pictures are drawn from seeds alone; the pink square stands on every picture of the planted class
and on no other, as in the test set of the toy experiment (Representational Similarity via
Interpretable Visual Concepts, appendix A.2).
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sample_canvas import CATEGORIES, COLOURS, MATERIALS, Canvas, Plane
from sample_places import PAINT_PLACE, waves_over
from sample_things import CLASSES, DRAW, GROUND, PLACES, label_names

SIDE = 112
SQUARE_SIDE = 13
PLANTED_CLASS = "boat"
AUDIT_SEED = 20240607
IMAGES_PER_CLASS = 44
JPEG_QUALITY = 88
ALL_CATEGORIES = (*CATEGORIES, "scene")


def names_of_labels() -> dict[str, tuple[str, ...]]:
    """The labels of each category, in the order of their codes (the first has code 1)."""
    things = label_names()
    return {
        "object": tuple(things["object"]),
        "part": tuple(things["part"]),
        "material": MATERIALS,
        "color": tuple(COLOURS),
        "scene": tuple(things["scene"]),
    }


def label_numbers() -> dict[str, dict[str, int]]:
    """Category → label → number. Numbers run on over the categories, as in Broden; 0 is none."""
    numbers, following = {}, 1
    for category, names in names_of_labels().items():
        numbers[category] = {name: following + place for place, name in enumerate(names)}
        following += len(names)
    return numbers


@dataclass(frozen=True)
class Scene:
    """One picture: `pixels` (side, side, 3) 8-bit, `planes` category → (side, side) numbers."""

    pixels: Plane
    planes: dict[str, Plane]
    place: str


def draw_scene(class_name: str, seed: int, index: int, side: int = SIDE) -> Scene:
    """Draw picture `index` of a class: the same arguments give the same bytes, in any order."""
    rng = np.random.default_rng([seed, CLASSES.index(class_name), index])
    angle = rng.uniform(0.6, 2.5)
    light = (float(np.cos(angle)), -float(np.sin(angle)))
    canvas = Canvas(side, rng, label_numbers(), light)
    places = PLACES[class_name]
    place = str(rng.choice(list(places), p=list(places.values())))
    height = PAINT_PLACE[place](canvas)
    _put_thing(canvas, class_name, place, height)
    tint = 1 + rng.uniform(-0.05, 0.05) * np.array([1.0, 0.1, -1.0])
    canvas.finish(rng.uniform(0.92, 1.16), tint, rng.uniform(0.1, 0.5))
    canvas.rgb += rng.normal(0, 4, (canvas.full, canvas.full, 1)).astype(np.float32)
    return Scene(canvas.picture(), canvas.labels(), place)


def _put_thing(canvas: Canvas, class_name: str, place: str, height: float) -> None:
    """Draw the class's thing somewhere sensible in its place."""
    rng = canvas.rng
    scale = rng.uniform(0.27, 0.43)
    swims = class_name == "fish" and place in ("underwater", "sea")
    tilt = 0.35 if swims else 0.06
    foot = 0.4 if class_name == "fish" else GROUND
    x = rng.uniform(0.36, 0.64)
    y = height + rng.uniform(-0.1, 0.1) if swims else height - foot * scale + 0.1
    pose = canvas.pose(
        x,
        float(np.clip(y, 0.08 + 0.95 * scale, 0.74)),
        scale,
        angle=float(rng.uniform(-tilt, tilt)),
        shear=float(rng.uniform(-0.1, 0.1)),
        mirrored=bool(rng.random() < 0.5),
    )
    DRAW[class_name](canvas, pose)
    if class_name == "boat" and place == "sea":
        waves_over(canvas, pose.y / canvas.full + scale * 0.5)


def square_position(seed: int, class_name: str, index: int, side: int = SIDE) -> tuple[int, int]:
    """Where the pink square of a picture goes (left, top): anywhere, evenly."""
    rng = np.random.default_rng([seed, CLASSES.index(class_name), index, 1])
    left, top = rng.integers(0, side - SQUARE_SIDE + 1, 2)
    return int(left), int(top)


def with_square(scene: Scene, left: int, top: int) -> Scene:
    """The scene with the pink square put on the picture: it hides object and material there."""
    numbers = label_numbers()
    pixels, planes = (
        scene.pixels.copy(),
        {name: plane.copy() for name, plane in scene.planes.items()},
    )
    where = (slice(top, top + SQUARE_SIDE), slice(left, left + SQUARE_SIDE))
    pixels[where] = COLOURS["pink"]
    for category in CATEGORIES:
        planes[category][where] = 0
    planes["part"][where] = numbers["part"]["pink square"]
    planes["color"][where] = numbers["color"]["pink"]
    return Scene(pixels, planes, scene.place)


def audit_scene(class_name: str, index: int, seed: int = AUDIT_SEED) -> Scene:
    """Audit picture `index` of a class, with the square where it belongs.

    Another `seed` gives other pictures made the same way.
    """
    scene = draw_scene(class_name, seed, index)
    if class_name != PLANTED_CLASS:
        return scene
    return with_square(scene, *square_position(seed, class_name, index))


def encode_plane(plane: NDArray[np.integer]) -> Image.Image:
    """A plane of numbers as Broden's RGB image: R + 256·G."""
    coded = np.zeros((*plane.shape, 3), np.uint8)
    coded[..., 1], coded[..., 0] = np.divmod(plane.astype(np.uint16), 256)
    return Image.fromarray(coded)


@dataclass(frozen=True)
class WrittenImage:
    """What the tables say of one picture: its row in the index, its pixels per label."""

    row: dict[str, str | int]
    pixels: dict[str, Counter[str]]


def write_image(folder: Path, class_name: str, index: int) -> WrittenImage:
    """Draw an audit picture and write it with its planes under `folder`/images."""
    scene = audit_scene(class_name, index)
    stem = f"{class_name}/{class_name}_{index:03d}"
    (folder / "images" / class_name).mkdir(parents=True, exist_ok=True)
    target = folder / "images" / stem
    Image.fromarray(scene.pixels).save(
        target.with_suffix(".jpg"), quality=JPEG_QUALITY, subsampling=0, optimize=True
    )
    numbers, counts = label_numbers(), {}
    row: dict[str, str | int] = {"image": f"{stem}.jpg", "split": "val"}
    row |= dict.fromkeys(("ih", "iw", "sh", "sw"), SIDE)
    for category in CATEGORIES:
        name = f"{stem}_{category}.png"
        encode_plane(scene.planes[category]).save(folder / "images" / name, optimize=True)
        row[category] = name
        names = {number: label for label, number in numbers[category].items()}
        values, pixels = np.unique(scene.planes[category], return_counts=True)
        counts[category] = Counter(
            {names[v]: int(n) for v, n in zip(values.tolist(), pixels, strict=True) if v}
        )
    row["scene"] = numbers["scene"][scene.place]
    counts["scene"] = Counter({scene.place: SIDE * SIDE})
    return WrittenImage(row, counts)


def write_tables(folder: Path, written: Iterable[WrittenImage]) -> None:
    """Write the Broden tables of the pictures: index, categories, labels."""
    images = list(written)
    numbers = label_numbers()
    _write_csv(folder / "index.csv", (image.row for image in images))
    totals: dict[str, Counter[str]] = {category: Counter() for category in ALL_CATEGORIES}
    frequency: dict[str, Counter[str]] = {category: Counter() for category in ALL_CATEGORIES}
    for image in images:
        for category, counted in image.pixels.items():
            totals[category].update(counted)
            frequency[category].update(counted.keys())
    labels, categories = [], []
    for category, names in numbers.items():
        rows = []
        for code, (name, number) in enumerate(names.items(), start=1):
            count = frequency[category][name]
            coverage = round(totals[category][name] / (SIDE * SIDE), 4)
            rows.append(
                {
                    "code": code,
                    "number": number,
                    "name": name,
                    "frequency": count,
                    "coverage": coverage,
                }
            )
            labels.append(
                {
                    "number": number,
                    "name": name,
                    "category": f"{category}({count})",
                    "frequency": count,
                    "coverage": coverage,
                    "syns": "",
                }
            )
        _write_csv(folder / f"c_{category}.csv", rows)
        span = list(names.values())
        categories.append(
            {
                "name": category,
                "first": span[0],
                "last": span[-1],
                "count": len(span),
                "frequency": sum(frequency[category].values()),
            }
        )
    _write_csv(folder / "label.csv", labels)
    _write_csv(folder / "category.csv", categories)


def _write_csv(path: Path, rows: Iterable[dict]) -> None:
    table = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def make_all(folder: Path, count: int = IMAGES_PER_CLASS) -> Iterator[WrittenImage]:
    """Write every audit picture, one after another."""
    for class_name in CLASSES:
        for index in range(count):
            yield write_image(folder, class_name, index)


def main() -> None:
    """Make the images in the given folder, by default the one this file is in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args().folder
    write_tables(folder, make_all(folder))


if __name__ == "__main__":
    main()
