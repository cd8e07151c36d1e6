"""Small made-up projects with results, written straight into the tables."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from PIL import Image

from analysis.project import Project
from tests.figures.made_audits import MODELS, Audited, audit_all
from tests.figures.made_saliency import CNN, VIT, add_saliency
from tests.figures.made_semantics import LAYERS_A, LAYERS_B, A, B, add_semantics

MODEL_A, MODEL_B = "ResNet-18", "ViT-S"
PARAMETERS = {"group_by": "label", "preset": "paper", "components": 4}


@dataclass
class MadeUp:
    """A project with one finished `layers` run and one finished `concepts` run."""

    project: Project
    layers_run: int
    concepts_run: int


def insert(project: Project, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = list(rows[0])
    marks = ", ".join("?" for _ in columns)
    names = ", ".join(columns)
    with project.transaction() as connection:
        connection.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            [tuple(row[column] for column in columns) for row in rows],
        )


def add_models(project: Project, names: Sequence[str], layers: Sequence[Sequence[str]]) -> None:
    insert(
        project,
        "model",
        [
            {
                "name": name,
                "specification": f"timm:resnet18?pretrained=false@/home/someone/{index}.pth",
                "weights_sha256": f"{index}" * 64,
                "library": "timm",
                "architecture": "resnet18",
                "num_classes": 3,
                "created": "2026-01-01T00:00:00",
                "position": index,
            }
            for index, name in enumerate(names)
        ],
    )
    rows = [
        {
            "model": name,
            "name": layer,
            "position": position,
            "kind": "activation",
            "shape": "[64]",
            "channels": 64,
            "depth": position / max(1, len(of_model) - 1),
        }
        for name, of_model in zip(names, layers, strict=True)
        for position, layer in enumerate(of_model)
    ]
    insert(project, "layer", rows)


def add_run(project: Project, audit: str, models: Sequence[str], **values: Any) -> int:
    row = {
        "audit": audit,
        "name": f"{audit} of the two",
        "image_set": 1,
        "model_a": models[0],
        "model_b": models[1],
        "parameters": json.dumps(PARAMETERS),
        "state": "done",
        "seed": 7,
        "device": "cpu",
        "versions": json.dumps({"torch": "2.9.0", "parallax-audit": "0.1"}),
        "created": "2026-01-01T00:00:00",
        "units_total": 3,
        **values,
    }
    insert(project, "run", [row])
    return project.value("SELECT MAX(id) FROM run")


def add_images(
    project: Project, labels: Sequence[str], per_label: int, picture: Callable[[int], Image.Image]
) -> None:
    insert(
        project,
        "image_set",
        [
            {
                "name": "scenes",
                "source": "/home/someone/pictures/scenes",
                "kind": "class folders",
                "created": "2026-01-01T00:00:00",
            }
        ],
    )
    pictures = [picture(index) for index in range(per_label * len(labels))]
    insert(
        project,
        "image",
        [
            {
                "image_set": 1,
                "path": f"{labels[index // per_label]}/{index}.jpg",
                "label": labels[index // per_label],
                "width": 2 * image.width,
                "height": 2 * image.height,
                "sha256": f"{index:064x}",
                "size_bytes": 1000,
            }
            for index, image in enumerate(pictures)
        ],
    )
    thumbnails = []
    for index, image in enumerate(pictures):
        data = io.BytesIO()
        image.save(data, "PNG")
        thumbnails.append(
            {
                "image": index + 1,
                "width": image.width,
                "height": image.height,
                "format": "PNG",
                "data": data.getvalue(),
            }
        )
    insert(project, "thumbnail", thumbnails)


def add_layer_results(
    project: Project, run: int, models: Sequence[str], layers: Sequence[Sequence[str]]
) -> None:
    """Similar where depths agree, falling with depth, at chance far from the diagonal."""
    rows = []
    for i, layer_a in enumerate(layers[0]):
        for j, layer_b in enumerate(layers[1]):
            depth_a, depth_b = i / max(1, len(layers[0]) - 1), j / max(1, len(layers[1]) - 1)
            value = 0.85 * np.exp(-2.2 * abs(depth_a - depth_b)) - 0.25 * (depth_a + depth_b) / 2
            value += 0.06 * (depth_a > 0.95) * (depth_b > 0.95)
            rows.append(
                {
                    "run": run,
                    "model_a": models[0],
                    "layer_a": layer_a,
                    "model_b": models[1],
                    "layer_b": layer_b,
                    "mmcs_pearson": value,
                    "mmcs_spearman": value - 0.03,
                    "cka": value**2,
                    "rsa": value - 0.1,
                    "procrustes": 0.5 + value / 2,
                    "ci_low": value - 0.04,
                    "ci_high": value + 0.04,
                    "null_95": 0.14 + 0.02 * ((i + j) % 3),
                    "classes": 3,
                }
            )
            for place, measure in enumerate(("mmcs_spearman", "cka", "rsa", "procrustes"), 1):
                rows[-1] |= {
                    f"{measure}_low": rows[-1][measure] - 0.01 * place,
                    f"{measure}_high": rows[-1][measure] + 0.02 * place,
                    f"{measure}_null_95": 0.1 * place,
                }
    insert(project, "layer_similarity", rows)


def add_concept_results(
    project: Project,
    run: int,
    models: Sequence[str],
    classes: Sequence[str],
    components: int = 4,
    images_per_class: int = 6,
    patches_each: int = 3,
    headless: str = "",
) -> None:
    """Concepts of both models; the less similar, the noisier their predicted coefficients."""
    random = np.random.default_rng(3)
    for place, name in enumerate(classes):
        ids = 1 + place * images_per_class + np.arange(images_per_class)
        image = np.repeat(ids, 4)
        box = np.tile([[0, 0, 20, 20], [20, 0, 20, 20], [0, 20, 20, 20], [20, 20, 20, 20]],
                      (images_per_class, 1))  # fmt: skip
        with project.transaction() as connection:
            project.write_array(connection, run, f"class/{name}/image", image.astype(np.int64))
            project.write_array(connection, run, f"class/{name}/box", box.astype(np.int32))
        for side in "ab":
            bare = side == headless
            _add_class_concepts(
                project, run, models, name, side, bare, components, image, box, patches_each, random
            )


def _add_class_concepts(
    project: Project,
    run: int,
    models: Sequence[str],
    class_name: str,
    side: str,
    bare: bool,
    components: int,
    image: np.ndarray,
    box: np.ndarray,
    patches_each: int,
    random: np.random.Generator,
) -> None:
    own, other = models if side == "a" else models[::-1]
    real = random.gamma(0.8, 1.5, (len(image), components)).astype(np.float32)
    quality = np.clip(random.beta(4, 2, components), 0.05, 0.98)
    noise = random.gamma(0.8, 1.5, real.shape)
    predicted = (quality * real + (1 - quality) * noise).astype(np.float32)
    importance = np.clip(random.exponential(0.16, components), 0, 1)
    base = {"run": run, "side": side, "class": class_name}
    concepts, similarities, replacements, patches = [], [], [], []
    for k in range(components):
        pearson = float(np.corrcoef(real[:, k], predicted[:, k])[0, 1])
        pair = {**base, "concept": k, "target_model": own, "predictor_model": other}
        concepts.append(
            {
                **base,
                "model": own,
                "layer": "penultimate",
                "concept": k,
                "importance": None if bare else float(importance[k]),
                "importance_signed": None if bare else -float(importance[k]),
                "importance_residual": None if bare else 1e-4,
                "reconstruction_error": 0.31,
                "converged": 1,
                "iterations": 50,
                "method": "nmf",
                "stability": float(quality[k]),
            }
        )
        similarities.append(
            {
                **pair,
                "cmcs_pearson": pearson,
                "cmcs_spearman": pearson - 0.02,
                "ci_low": pearson - 0.08,
                "ci_high": min(1.0, pearson + 0.08),
                "smcs_pearson": 0.93,
                "smcs_spearman": 0.9,
                "mcs_pearson": 0.8 * pearson,
                "mcs_spearman": 0.7 * pearson,
                "null_95": 0.11 + 0.01 * k,
                "nonzero_weights": 20 + k,
                "n_images": len(np.unique(image)),
            }
        )
        gap = 0.93 - pearson
        replacements.append(
            {
                **pair,
                "delta_pearson": gap,
                "l2": abs(2.5 * gap + float(random.normal(0, 0.05))),
                "kl": None if bare else float(abs(gap) * importance[k] * 0.4),
                "match_accuracy": None if bare else 1 - float(abs(gap) * importance[k] * 0.5),
            }
        )
        error = predicted[:, k] - real[:, k]
        scores = {"top": real[:, k], "over": error, "under": -error}
        for kind, score in scores.items():
            for rank, at in enumerate(np.argsort(-score)[:patches_each]):
                x, y, width, height = (int(number) for number in box[at])
                patches.append(
                    {
                        **pair,
                        "kind": kind,
                        "rank": rank,
                        "image": int(image[at]),
                        "x": x,
                        "y": y,
                        "width": width,
                        "height": height,
                        "coefficient": float(real[at, k]),
                        "predicted": float(predicted[at, k]),
                    }
                )
    for table, rows in (
        ("concept", concepts),
        ("concept_similarity", similarities),
        ("replacement", replacements),
        ("patch", patches),
    ):
        insert(project, table, rows)
    with project.transaction() as connection:
        project.write_array(connection, run, f"class/{class_name}/{side}/real", real)
        project.write_array(connection, run, f"class/{class_name}/{side}/predicted", predicted)


def quadrants(index: int) -> Image.Image:
    """A picture of 20 × 20 pixels whose quarters are red, green, blue and white."""
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:10, :10] = (255, 0, 0)
    pixels[:10, 10:] = (0, 255, 0)
    pixels[10:, :10] = (0, 0, 255)
    pixels[10:, 10:] = 255
    return Image.fromarray(pixels)


def make_up(
    path: Path,
    models: Sequence[str] = (MODEL_A, MODEL_B),
    classes: Sequence[str] = ("bird", "dog", "fish"),
    layers: Sequence[Sequence[str]] = (
        ("conv1.act", "layer1.0.act", "layer2.1.act", "penultimate"),
        ("blocks.0", "blocks.1", "penultimate"),
    ),
    headless: str = "",
) -> MadeUp:
    project = Project.create(path, name=path.stem)
    add_images(project, classes, 6, quadrants)
    add_models(project, models, layers)
    layers_run = add_run(project, "layers", models)
    add_layer_results(project, layers_run, models, layers)
    concepts_run = add_run(project, "concepts", models)
    add_concept_results(project, concepts_run, models, classes, headless=headless)
    return MadeUp(project, layers_run, concepts_run)


def make_audits(path: Path, models: Sequence[str] = MODELS) -> Audited:
    """A project with images and one run of each audit of many models."""
    project = Project.create(path, name="audited")
    add_images(project, ("bird", "dog", "fish"), 6, quadrants)
    return audit_all(project, models)


Made = TypeVar("Made", MadeUp, Audited)


class Templates:
    """Projects that are made once; each test that asks for one gets a copy of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Any] = {}

    def copy(self, path: Path, make: Callable[..., Made], **options: Any) -> Made:
        """What `make(path, **options)` gives."""
        key = repr((make.__name__, path.name, sorted(options.items())))
        place = self._folder / str(len(self._made)) / path.name
        if key not in self._made:
            place.parent.mkdir()
            self._made[key] = make(place, **options)
            self._made[key].project.close()
        made = self._made[key]
        return replace(made, project=Project.open(Path(shutil.copy(made.project.path, path))))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def made_up(templates: Templates, tmp_path: Path) -> Iterator[MadeUp]:
    result = templates.copy(tmp_path / "made up.parallax", make_up)
    yield result
    result.project.close()


@pytest.fixture
def make_project(templates: Templates, tmp_path: Path) -> Iterator[Callable[..., MadeUp]]:
    """Make further projects, as `make_up` does, with other names or models."""
    opened: list[MadeUp] = []

    def make(**options: Any) -> MadeUp:
        path = tmp_path / f"project {len(opened)}.parallax"
        opened.append(templates.copy(path, make_up, **options))
        return opened[-1]

    yield make
    for result in opened:
        result.project.close()


@pytest.fixture
def audited(templates: Templates, tmp_path: Path) -> Iterator[Audited]:
    """A project with images and one run of each audit of many models."""
    result = templates.copy(tmp_path / "audited.parallax", make_audits)
    yield result
    result.project.close()


@pytest.fixture
def make_audited(templates: Templates, tmp_path: Path) -> Iterator[Callable[..., Audited]]:
    """Make further such projects, with other models."""
    opened: list[Audited] = []

    def make(models: Sequence[str]) -> Audited:
        path = tmp_path / f"audited {len(opened)}.parallax"
        opened.append(templates.copy(path, make_audits, models=models))
        return opened[-1]

    yield make
    for result in opened:
        result.project.close()


@pytest.fixture(scope="session")
def explained_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project file with a finished saliency run of six images and two models, its only run."""
    path = tmp_path_factory.mktemp("saliency") / "explained.parallax"
    with Project.create(path, name="explained") as project:
        add_images(project, ("bird", "dog", "fish"), 6, quadrants)
        add_models(project, (CNN, VIT), (("blocks.0", "penultimate"),) * 2)
        add_saliency(project)
    return path


@pytest.fixture
def explained(explained_file: Path, tmp_path: Path) -> Iterator[tuple[Project, int]]:
    """A copy of that project, open, and its saliency run."""
    path = Path(shutil.copy(explained_file, tmp_path))
    with Project.open(path) as project:
        yield project, project.value("SELECT id FROM run")


@pytest.fixture(scope="session")
def compared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project file with a finished semantics run of two models, its only run."""
    path = tmp_path_factory.mktemp("semantics") / "compared.parallax"
    with Project.create(path, name="compared") as project:
        add_images(project, ("bird", "dog", "fish"), 6, quadrants)
        add_models(project, (A, B), (LAYERS_A, LAYERS_B))
        add_semantics(project)
    return path


@pytest.fixture
def compared(compared_file: Path, tmp_path: Path) -> Iterator[tuple[Project, int]]:
    """A copy of that project, open, and its semantics run."""
    path = Path(shutil.copy(compared_file, tmp_path))
    with Project.open(path) as project:
        yield project, project.value("SELECT id FROM run")
