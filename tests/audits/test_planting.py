"""Images with a planted concept: what is written is the truth that the masks tell."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from analysis.audits import intake
from analysis.audits.grouping import read_images
from analysis.audits.label_sources import DataLabels, label_planes, plane_images
from analysis.audits.planting import Planted, Planting, plant, plantable
from analysis.cli import cli
from analysis.errors import AuditError, Cancelled
from analysis.images.frames import Frame
from analysis.progress import Progress
from analysis.project import Project

SIDE = 64
RED, BLUE = (200, 20, 20), (20, 20, 200)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Sixteen grey pictures, four of them with a red square, which the masks call “box”."""
    pictures, masks = tmp_path / "pictures", tmp_path / "masks"
    pictures.mkdir()
    masks.mkdir()
    random = np.random.default_rng(0)
    for number in range(16):
        grey = random.integers(90, 160, (SIDE, SIDE, 1)).repeat(3, axis=2).astype(np.uint8)
        picture, mask = Image.fromarray(grey), Image.new("L", (SIDE, SIDE))
        if number % 4 == 0:
            ImageDraw.Draw(picture).rectangle((10, 20, 29, 39), fill=RED)
            ImageDraw.Draw(mask).rectangle((10, 20, 29, 39), fill=7)
        picture.save(pictures / f"{number:02d} photo.png")
        mask.save(masks / f"{number:02d} photo.png")
    (masks / "names.csv").write_text("index,name,category\n7,Box,object\n", encoding="utf-8")
    with Project.create(tmp_path / "p.parallax", "p") as made:
        number = intake.add_images(made, "grey", pictures, Progress())
        intake.add_labels(made, "boxes", masks, number)
        yield made


def _plant(project: Project, tmp_path: Path, **wishes: object) -> Planted:
    settings = {"name": "planted", "concept": "box", "image_set": 1, "side": SIDE, **wishes}
    return plant(project, Planting(**settings), tmp_path / "out", Progress())  # type: ignore[arg-type]


def _written(made: Planted, kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of a kind with their masks."""
    images = sorted((made.folder / "images" / kind).iterdir())
    return [
        (
            np.asarray(Image.open(file)),
            np.asarray(Image.open(made.folder / "masks" / kind / file.name)),
        )
        for file in images
    ]


def test_masks_tell_where_the_label_was_pasted(project: Project, tmp_path: Path) -> None:
    made = _plant(project, tmp_path)
    assert (made.images, made.with_concept, made.shown, made.unread) == (12, 6, 4, 0)
    for pixels, mask in _written(made, "with"):
        assert pixels.shape == (SIDE, SIDE, 3)
        red = (pixels[..., 0] > 150) & (pixels[..., 1] < 60)
        assert mask.any()
        assert np.array_equal(red, mask == 1)
    for pixels, mask in _written(made, "without"):
        assert not mask.any()
        assert not ((pixels[..., 0] > 150) & (pixels[..., 1] < 60)).any()


def test_images_without_it_get_a_piece_of_another_image(project: Project, tmp_path: Path) -> None:
    made = _plant(project, tmp_path)
    originals = {
        file.stem.replace("photo", "").strip(): np.asarray(Image.open(file).convert("RGB"))
        for file in (tmp_path / "pictures").iterdir()
    }
    for file in (made.folder / "images" / "without").iterdir():
        pixels = np.asarray(Image.open(file))
        original = originals[file.stem.split()[1]]
        changed = (pixels != original).any(axis=-1)
        # A square of .3 to .6 of the side, of which noise may leave a pixel or two alone.
        assert 0.05 < changed.mean() <= 0.4
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.9


def test_the_project_has_both_with_their_truth(project: Project, tmp_path: Path) -> None:
    made = _plant(project, tmp_path)
    images = read_images(project, made.image_set)
    assert {image.label for image in images} == {"with", "without"}
    frame = Frame(SIDE, SIDE)
    wanted = plane_images(project, images)
    planes = label_planes(project, made.image_set, wanted, DataLabels("planted", SIDE), frame)
    assert [(one.name, one.category) for one in planes.space.concepts] == [("Box", "object")]
    shows = [bool(planes.read(one, None).codes.any()) for one in wanted]
    assert shows == [image.label == "with" for image in images]


def test_patterns_need_no_label_planes(project: Project, tmp_path: Path) -> None:
    made = _plant(project, tmp_path, concept="Dots", share=0.25, images=8)
    assert (made.images, made.with_concept, made.shown) == (8, 2, 0)
    with (made.folder / "masks" / "names.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file))[1] == ["1", "dots", "texture"]
    for pixels, mask in _written(made, "with"):
        grey = (pixels.min(axis=-1) == pixels.max(axis=-1)) & (pixels[..., 0] < 165)
        assert grey[mask == 0].mean() > 0.9  # but for the red squares of some
        assert grey[mask == 1].mean() < 0.1


def test_the_same_seed_writes_the_same_files(project: Project, tmp_path: Path) -> None:
    def plant_into(name: str, seed: int) -> dict[str, bytes]:
        wish = Planting(name=name, concept="box", image_set=1, side=SIDE, seed=seed)
        made = plant(project, wish, tmp_path / name, Progress())
        files = sorted(path for path in made.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(made.folder)): path.read_bytes() for path in files}

    first = plant_into("one", 3)
    assert plant_into("two", 3) == first
    assert plant_into("three", 4) != first


def test_damaged_images_are_counted(project: Project, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "05 photo.png").write_bytes(b"no picture")
    (tmp_path / "pictures" / "15 photo.png").unlink()
    made = _plant(project, tmp_path)
    assert (made.images, made.unread) == (10, 2)
    assert "2 could not be read" in made.sentence()


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"concept": "bix"}, "no pattern “bix”"),
        ({"concept": ""}, "no pattern “”"),
        ({"name": " "}, "needs a name"),
        ({"name": "grey"}, "already has an image set"),
        ({"share": 0.0}, "nothing to compare"),
        ({"share": float("nan")}, "nothing to compare"),
        ({"size": (0.5, 0.2)}, "the smaller one first"),
        ({"side": 8}, "32 to 2,048"),
        ({"images": -1}, "0 \\(all\\) or above"),
    ],
)
def test_bad_wishes(project: Project, tmp_path: Path, wishes: dict, words: str) -> None:
    with pytest.raises(AuditError, match=words):
        _plant(project, tmp_path, **wishes)
    assert not (tmp_path / "out").exists()
    assert project.value("SELECT count(*) FROM image_set") == 1


def test_near_names_are_suggested(project: Project, tmp_path: Path) -> None:
    with pytest.raises(AuditError) as raised:
        _plant(project, tmp_path, concept="stripe")
    assert "stripes" in (raised.value.hint or "")
    assert "Box" in (raised.value.hint or "")


def test_a_folder_in_use_is_left_alone(project: Project, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    with pytest.raises(AuditError, match="in use already"):
        _plant(project, tmp_path)
    assert (tmp_path / "out" / "precious.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    wish = Planting(name="planted", concept="box", image_set=1, side=SIDE)
    with pytest.raises(AuditError, match="in use already"):
        plant(project, wish, tmp_path / "file", Progress())
    with pytest.raises(AuditError, match="cannot be written"):
        plant(project, wish, tmp_path / "file" / "below", Progress())


def test_nothing_is_left_of_what_was_cancelled(project: Project, tmp_path: Path) -> None:
    class Stopping(Progress):
        def report(self, done: int, total: int | None, text: str = "") -> None:
            if text == "Writing images" and done > 3:
                raise Cancelled

    wish = Planting(name="planted", concept="box", image_set=1, side=SIDE)
    with pytest.raises(Cancelled):
        plant(project, wish, tmp_path / "out", Stopping())
    assert not (tmp_path / "out").exists()
    assert project.value("SELECT count(*) FROM image_set") == 1
    assert project.value("SELECT count(*) FROM label_plane_source") == 1


def test_nothing_is_left_where_the_masks_cannot_be_added(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise AuditError("The file is full.")

    monkeypatch.setattr(intake, "add_labels", refuse)
    with pytest.raises(AuditError, match="full"):
        _plant(project, tmp_path)
    assert not (tmp_path / "out").exists()
    assert project.value("SELECT count(*) FROM image_set") == 1


def test_labels_that_can_be_planted(project: Project, tmp_path: Path) -> None:
    assert plantable(project, 1) == ("Box",)
    bare = intake.add_images(project, "bare", tmp_path / "pictures", Progress())
    assert plantable(project, bare) == ()


def test_the_command(project: Project, tmp_path: Path) -> None:
    project.close()
    arguments = ["plant", str(tmp_path / "p.parallax"), "planted", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, [*arguments, "--concept", "box", "--side", str(SIDE)])
    assert result.exit_code == 0, result.output
    assert "12 images, 6 of them with the concept; 4 left out" in result.output
    result = CliRunner().invoke(cli, [*arguments, "--concept", "box", "--images", "blue"])
    assert isinstance(result.exception, AuditError)
    assert "no image set “blue”" in str(result.exception)
