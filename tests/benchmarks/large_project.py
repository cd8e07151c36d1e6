"""A project as large as ImageNet makes it, of made-up results, for the benchmarks of the window.

1,000 classes × 10 concepts × 2 models: 20,000 concepts with their similarity and replacement,
600,000 patches, 50,000 images (small pictures of some of them), a run of layers and one class's
coefficients each. Run alone: python tests/benchmarks/large_project.py FILE
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PIL import Image

from analysis.project import Project

CLASSES, COMPONENTS, PATCHES, IMAGES_A_CLASS = 1000, 10, 10, 50
MODELS = ("ResNet", "ViT")
CLASSES_A_UNIT = 20
PICTURES = 2000  # images that have a small picture in the file
LAYERS = 24


@dataclass(frozen=True)
class Entry:
    path: str
    label: str
    split: str | None = None
    width: int = 500
    height: int = 375
    sha256: str = "ab" * 32
    size_bytes: int = 100_000


@dataclass(frozen=True)
class Layer:
    name: str
    position: int
    depth: float
    kind: str = "activation"
    shape: tuple[int, ...] = (64, 7, 7)
    channels: int = 64


def class_name(number: int) -> str:
    return f"class {number:04}"


def build(path: Path) -> None:
    """Write the project to `path`."""
    random = np.random.default_rng(0)
    with Project.create(path, "large") as project:
        images = project.add_image_set("many", path.parent, "class folders")
        project.add_images(
            images,
            (
                Entry(f"{class_name(number)}/{i}.jpg", class_name(number))
                for number in range(CLASSES)
                for i in range(IMAGES_A_CLASS)
            ),
        )
        project.add_thumbnails(_pictures(random))
        for name in MODELS:
            layers = [Layer(f"blocks.{i}", i, i / (LAYERS - 1)) for i in range(LAYERS)]
            project.add_model(name, "timm:resnet18", num_classes=CLASSES, layers=layers)
        _add_layers(project, images, random)
        settings = {"layer_a": f"blocks.{LAYERS - 1}", "layer_b": f"blocks.{LAYERS - 1}"}
        run = project.add_run(
            "concepts", "large", settings, model_a=MODELS[0], model_b=MODELS[1], image_set=images
        )
        for start in range(0, CLASSES, CLASSES_A_UNIT):
            rows: dict[str, list[dict[str, Any]]] = {}
            arrays: dict[str, np.ndarray] = {}
            for number in range(start, start + CLASSES_A_UNIT):
                for table, more in _class_rows(number, random):
                    rows.setdefault(table, []).extend(more)
                arrays |= _class_arrays(number, random)
            project.commit_unit(run, f"classes {start}", rows, arrays, [], 1.0)
        project.set_run_state(run, "done")


def _pictures(random: np.random.Generator) -> Iterator[tuple[int, int, int, bytes]]:
    for number in range(PICTURES):
        pixels = np.kron(
            random.integers(0, 255, (6, 8, 3), np.uint8), np.ones((24, 24, 1), np.uint8)
        )
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "WEBP")
        yield number + 1, 192, 144, data.getvalue()


def _add_layers(project: Project, images: int, random: np.random.Generator) -> None:
    run = project.add_run(
        "layers", "layers", {}, model_a=MODELS[0], model_b=MODELS[1], image_set=images
    )
    rows = [
        {"model_a": MODELS[0], "layer_a": f"blocks.{a}", "model_b": MODELS[1],
         "layer_b": f"blocks.{b}", "mmcs_pearson": value, "mmcs_spearman": value, "cka": value,
         "ci_low": value - 0.1, "ci_high": value + 0.1, "null_95": 0.1, "classes": CLASSES}
        for a in range(LAYERS)
        for b, value in enumerate(random.random(LAYERS).tolist())
    ]  # fmt: skip
    project.commit_unit(run, "all", {"layer_similarity": rows}, {}, [], 1.0)
    project.set_run_state(run, "done")


def _class_rows(
    number: int, random: np.random.Generator
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    first = 1 + number % (PICTURES // IMAGES_A_CLASS) * IMAGES_A_CLASS  # images with a picture
    for side, target, predictor in (("a", *MODELS), ("b", *MODELS[::-1])):
        for concept in range(COMPONENTS):
            key = {"side": side, "class": class_name(number), "concept": concept}
            pair = {**key, "target_model": target, "predictor_model": predictor}
            similarity, importance, other = random.random(3).tolist()
            yield "concept", [
                {**key, "model": target, "layer": f"blocks.{LAYERS - 1}", "importance": importance,
                 "reconstruction_error": other, "stability": similarity, "method": "nmf"}
            ]  # fmt: skip
            yield "concept_similarity", [
                {**pair, "cmcs_pearson": similarity, "cmcs_spearman": similarity,
                 "ci_low": similarity - 0.1, "ci_high": similarity + 0.1, "smcs_pearson": 0.95,
                 "mcs_pearson": other, "null_95": 0.12, "nonzero_weights": 4, "n_images": 25}
            ]  # fmt: skip
            yield (
                "replacement",
                [
                    {
                        **pair,
                        "delta_pearson": importance,
                        "l2": other,
                        "kl": 0.1,
                        "match_accuracy": 0.9,
                    }
                ],
            )
            yield "patch", [
                {**pair, "kind": kind, "rank": rank, "image": first + (concept * 5 + rank) % 50,
                 "x": 10 * rank, "y": 20, "width": 128, "height": 128, "coefficient": 1.0,
                 "predicted": 0.5}
                for kind in ("top", "under", "over")
                for rank in range(PATCHES)
            ]  # fmt: skip


def _class_arrays(number: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    name, patches = class_name(number), 8 * 16
    real = np.maximum(random.normal(size=(patches, COMPONENTS)), 0).astype(np.float32)
    first = 1 + number * IMAGES_A_CLASS
    arrays = {
        f"class/{name}/image": np.repeat(np.arange(first, first + 8, dtype=np.int64), 16),
        f"class/{name}/box": np.tile(np.array([[0, 0, 128, 128]], np.int32), (patches, 1)),
    }
    for side in "ab":
        arrays[f"class/{name}/{side}/real"] = real
        arrays[f"class/{name}/{side}/predicted"] = real * np.float32(0.5)
    return arrays


if __name__ == "__main__":
    begun = time.perf_counter()
    build(Path(sys.argv[1]))
    print(f"written in {time.perf_counter() - begun:.0f} s")
