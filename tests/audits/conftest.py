"""A small project on the sample's own images and networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.audits import intake
from analysis.progress import Progress
from analysis.project import Project
from analysis.resources import resource_path


@pytest.fixture(scope="session")
def small_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of twelve sample images."""
    folder = tmp_path_factory.mktemp("images")
    source = resource_path("sample", "images")
    classes = sorted(path for path in source.iterdir() if path.is_dir())[:2]
    for kind in classes:
        (folder / kind.name).mkdir()
        pictures = sorted(p for p in kind.iterdir() if p.suffix in (".jpg", ".webp"))[:12]
        for picture in pictures:
            shutil.copy(picture, folder / kind.name / picture.name)
    return folder


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory, small_images: Path) -> Path:
    """A project file with the images and two networks, to be copied."""
    path = tmp_path_factory.mktemp("project") / "small.parallax"
    with Project.create(path, "small") as project:
        intake.add_images(project, "scenes", small_images, Progress())
        for name in ("pink-sensitive", "pink-invariant"):
            intake.add_model(project, name, f"sample:{name}", Progress())
    return path


@pytest.fixture
def small_path(small_template: Path, tmp_path: Path) -> Path:
    """The path of a small project that nobody has open."""
    return Path(shutil.copy(small_template, tmp_path / "small.parallax"))


@pytest.fixture
def small_project(small_path: Path) -> Iterator[Project]:
    with Project.open(small_path) as project:
        yield project


@pytest.fixture
def table() -> Callable[[Project, str, int], list[dict[str, object]]]:
    """The rows of a result table without their ids and their run."""

    def read(project: Project, name: str, run: int) -> list[dict[str, object]]:
        rows = [dict(row) for row in project.rows(f"SELECT * FROM {name} WHERE run = ?", (run,))]
        stripped = [{k: v for k, v in row.items() if k not in ("id", "run")} for row in rows]
        return sorted(stripped, key=repr)

    return read


@pytest.fixture(scope="session")
def labelled_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Broden layout of twelve boats and twelve houses of the sample, with their planes."""
    folder = tmp_path_factory.mktemp("labelled")
    source = resource_path("sample")
    for name in ("label.csv", "category.csv"):
        shutil.copy(source / name, folder / name)
    lines = (source / "index.csv").read_text(encoding="utf-8").splitlines()
    kept = [lines[0]]
    for kind in ("boat", "house"):
        kept += [line.replace(",val,", ",,") for line in lines if line.startswith(f"{kind}/")][:12]
    (folder / "index.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for line in kept[1:]:
        for cell in line.split(","):
            if cell.endswith((".jpg", ".png")):
                target = folder / "images" / cell
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / "images" / cell, target)
    return folder


@pytest.fixture(scope="session")
def labelled_template(tmp_path_factory: pytest.TempPathFactory, labelled_images: Path) -> Path:
    """A project with labelled images and three networks, one of them untrained, to be copied."""
    path = tmp_path_factory.mktemp("project") / "labelled.parallax"
    with Project.create(path, "labelled") as project:
        intake.add_images(project, "scenes", labelled_images, Progress())
        for name in ("pink-sensitive", "pink-invariant", "untrained"):
            intake.add_model(project, name, f"sample:{name}", Progress())
    return path


@pytest.fixture
def labelled_project(labelled_template: Path, tmp_path: Path) -> Iterator[Project]:
    with Project.open(Path(shutil.copy(labelled_template, tmp_path / "labelled.parallax"))) as made:
        yield made
