"""Small projects with a bit of everything, and folders that really cannot be written."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.project import Project

SMALL_WEBP = b"RIFF\x1a\0\0\0WEBPVP8L" + bytes(20)


@dataclass(frozen=True)
class ImageEntry:
    path: str
    label: str | None = "cat"
    split: str | None = None
    width: int = 64
    height: int = 48
    sha256: str = "00" * 32
    size_bytes: int = 4


@dataclass(frozen=True)
class LayerEntry:
    name: str
    position: int
    kind: str = "activation"
    shape: tuple[int, ...] = (8, 4, 4)
    channels: int = 8
    depth: float = 0.5


def concept_row(name: str, concept: int, **others: object) -> dict[str, object]:
    row = {
        "side": "a",
        "model": "A",
        "layer": "penultimate",
        "class": name,
        "concept": concept,
        "importance": np.float32(0.5),
    }
    return {**row, **others}


def patch_row(name: str, concept: int, rank: int, image: int = 1) -> dict[str, object]:
    return {
        "side": "a",
        "class": name,
        "target_model": "A",
        "concept": concept,
        "predictor_model": "B",
        "kind": "top",
        "rank": rank,
        "image": image,
        "x": np.int64(rank),
        "y": 0,
        "width": 64,
        "height": 64,
        "coefficient": float(rank) / 7,
        "predicted": float("nan"),
    }


def fill(project: Project, images: Path) -> int:
    """Two models, three images, one run of which one unit of two is done; returns the run."""
    image_set = project.add_image_set("pets", images, "class folders")
    project.add_images(image_set, [ImageEntry(f"cat/{i}.jpg") for i in range(3)])
    project.add_rejected_images(image_set, [("cat/broken.jpg", "The file is cut off.")])
    project.add_thumbnails([(1, 64, 48, SMALL_WEBP)])
    project.add_model("A", "timm:resnet18", class_names=["cat", "dog"])
    project.add_model(
        "B", "timm:vit_tiny", layers=[LayerEntry("blocks.0", 0), LayerEntry("penultimate", 1)]
    )
    run = project.add_run(
        "concepts",
        "A and B",
        {"preset": "paper", "components": 10},
        model_a="A",
        model_b="B",
        image_set=image_set,
        units=["classes/0", "classes/1"],
    )
    project.commit_unit(
        run,
        "classes/0",
        {
            "concept": [concept_row("cat", index) for index in range(4)],
            "patch": [patch_row("cat", 0, rank) for rank in range(10)],
        },
        {"class/cat/a/real": np.arange(40, dtype=np.float32).reshape(10, 4)},
        [("cat/broken.jpg", "The file is cut off.")],
        1.5,
    )
    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.parallax"


@pytest.fixture
def project(path: Path) -> Iterator[Project]:
    with Project.create(path) as project:
        yield project


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled project and its images, made once and copied by tests."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "pets" / "cat").mkdir(parents=True)
    for index in range(3):
        (folder / "pets" / "cat" / f"{index}.jpg").write_bytes(b"jpeg")
    with Project.create(folder / "audit.parallax") as project:
        fill(project, folder / "pets")
    return folder


@pytest.fixture
def closed(template: Path, path: Path) -> Path:
    """The path of a filled project that nobody has open; its images lie beside it."""
    shutil.copytree(template, path.parent, dirs_exist_ok=True)
    return path


@pytest.fixture
def filled(closed: Path) -> Iterator[Project]:
    with Project.open(closed) as project:
        yield project


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """A block in which permissions hold for this process too: the superuser ignores them."""
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")

    @contextmanager
    def without_privileges() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return without_privileges


@pytest.fixture
def make() -> SimpleNamespace:
    """Entries for a project: image, layer, concept and patch rows, a small picture."""
    return SimpleNamespace(
        image=ImageEntry,
        layer=LayerEntry,
        concept=concept_row,
        patch=patch_row,
        webp=SMALL_WEBP,
        fill=fill,
    )
