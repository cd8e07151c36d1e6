"""Moved images, label planes, pictures of concepts and weights are found again."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from analysis.audits import intake, places
from analysis.audits.relocating import relocate
from analysis.cli import cli
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project

NAMES = ("cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png")


def _picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Images, a folder of masks and one of stripes, side by side."""
    folder = tmp_path / "old"
    for seed, name in enumerate(NAMES):
        _picture(folder / "pets" / name, seed)
        mask = folder / "masks" / name
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 12), seed % 2).save(mask)
    (folder / "masks" / "labels.csv").write_text("value,name\n1,wheel\n")
    _picture(folder / "stripes" / "a.png", 50)
    (folder / "nets").mkdir()
    (folder / "nets" / "mine.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def file(tmp_path: Path, old: Path) -> Path:
    path = tmp_path / "project" / "pets.parallax"
    path.parent.mkdir()
    with Project.create(path, "pets") as project:
        images = intake.add_images(project, "pets", old / "pets", Progress())
        intake.add_labels(project, "wheels", old / "masks", images)
        project.add_concept_set("striped", "folder", old / "stripes")
        weights = (old / "nets" / "mine.safetensors").as_posix()
        digest = hashlib.sha256(b"weights").hexdigest()
        project.add_model("mine", f"timm:resnet18@{weights}", weights_sha256=digest)
        project.add_model("shipped", "sample:vit", weights_sha256="0" * 64)
        project.add_model("table", "", library="imported")
    return path


def _there(project: Project) -> dict[str, bool]:
    return {place.name: place.complete for place in places.project_places(project)}


def test_places_say_what_is_there(file: Path, old: Path) -> None:
    with Project.open(file) as project:
        assert _there(project) == dict.fromkeys(("pets", "wheels", "striped", "mine"), True)
        (old / "pets" / "cat" / "0.png").unlink()
        (old / "nets" / "mine.safetensors").unlink()
        listed = {place.name: place for place in places.project_places(project)}
        assert (listed["pets"].there, listed["pets"].looked_at) == (3, 4)
        assert not listed["mine"].complete
        shutil.rmtree(old)
        assert not any(_there(project).values())


def test_what_lay_beside_the_images_follows_them(file: Path, old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "deep"
    shutil.copytree(old, new)
    shutil.rmtree(old)
    with Project.open(file) as project:
        found = relocate(project, "pets", new / "pets", Progress())
        assert (found.found, found.total, found.renamed) == (4, 4, 0)
        assert found.followed == ("wheels", "striped")
        assert _there(project) == {"pets": True, "wheels": True, "striped": True, "mine": False}
        assert project.label_planes_root(1) == new / "masks"
        found = relocate(project, "mine", new, Progress())
        assert found.place == new / "nets" / "mine.safetensors"
        assert all(_there(project).values())
        text = project.value("SELECT specification FROM model WHERE name = 'mine'")
        assert text == f"timm:resnet18@{(new / 'nets/mine.safetensors').as_posix()}"


def test_images_keep_their_ids_and_labels_under_new_names(
    file: Path, old: Path, tmp_path: Path
) -> None:
    new = tmp_path / "heap"
    new.mkdir()
    for number, name in enumerate(reversed(NAMES)):
        shutil.move(old / "pets" / name, new / f"IMG_{number}.png")
    with Project.open(file) as project:
        before = project.rows("SELECT id, label, sha256 FROM image ORDER BY id")
        found = relocate(project, "pets", new, Progress())
        assert (found.found, found.renamed, found.missing) == (4, 4, ())
        assert "4 of 4 images found" in found.sentence()
        after = project.rows("SELECT id, label, sha256 FROM image ORDER BY id")
        assert [tuple(row) for row in after] == [tuple(row) for row in before]
        for row in after:
            path = project.resolve_image(row["id"])
            assert path is not None
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]


def test_what_is_lost_is_named(file: Path, old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(old / "pets", new)
    shutil.rmtree(old)
    _picture(new / "dog" / "1.png", 99)  # edited since
    with Project.open(file) as project:
        found = relocate(project, "pets", new, Progress())
        assert found.missing == ("dog/1.png",)
        assert "not found: dog/1.png" in found.sentence()
        assert project.resolve_image(1) == new / "cat" / "0.png"


def test_a_worse_place_changes_nothing(file: Path, old: Path, tmp_path: Path) -> None:
    fewer, other = tmp_path / "fewer", tmp_path / "other"
    fewer.mkdir()
    shutil.copy(old / "pets" / "cat" / "0.png", fewer)
    _picture(other / "cat" / "0.png", 77)
    with Project.open(file) as project:
        for folder, words in ((fewer, "holds 1 of the 4"), (other, "holds none of the 4")):
            with pytest.raises(AuditError, match=words) as error:
                relocate(project, "pets", folder, Progress())
            assert "they stay there" in error.value.hint
            assert project.image_set_root(1) == old / "pets"
        shutil.rmtree(old)
        with pytest.raises(AuditError, match="none of the 4") as error:
            relocate(project, "pets", other, Progress())
        assert "known by their content" in error.value.hint


def test_bad_wishes_are_refused(file: Path, old: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "mine.safetensors").write_bytes(b"other weights")
    with Project.open(file) as project:
        for name, place, words in (
            ("nothing", old, "nothing called “nothing”"),
            ("pets", tmp_path / "nowhere", "no folder"),
            ("wheels", empty, "names"),
            ("striped", empty, "no image"),
            ("mine", empty, "are not in “empty”"),
            ("mine", tmp_path / "nowhere", "no folder"),
            ("shipped", old, "do not come from a file"),
        ):
            with pytest.raises(AuditError, match=words):
                relocate(project, name, place, Progress())
        with pytest.raises(AuditError, match="nothing called “pets”"):
            relocate(project, "pets", old, Progress(), "model")
        assert all(_there(project).values())


def test_from_the_command_line(file: Path, old: Path, tmp_path: Path) -> None:
    old.rename(tmp_path / "new")
    runner = CliRunner()
    done = runner.invoke(cli, ["relocate", str(file), "pets", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert "4 of 4 images found" in done.output
    assert "found with them: wheels, striped" in done.output
    done = runner.invoke(
        cli, ["relocate", str(file), "mine", str(tmp_path / "new"), "--kind", "model"]
    )
    assert done.exit_code == 0, done.output
    with Project.open(file) as project:
        assert all(_there(project).values())
        assert project.image_set_root(1) == tmp_path / "new" / "pets"
