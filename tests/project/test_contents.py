"""Images, small pictures and models of a project."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.locations import locate_image


def test_images_are_found_beside_the_project_and_where_they_were(
    closed: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.move(closed.parent / "pets", first / "pets")
    shutil.move(closed, first / closed.name)
    with Project.open(first / closed.name) as project:
        assert project.resolve_image(1) == first / "pets" / "cat" / "0.jpg"
        project.place_images(1, first / "pets")

    together = tmp_path / "together"
    shutil.move(first, together)
    with Project.open(together / closed.name) as project:
        assert project.resolve_image(1) == together / "pets" / "cat" / "0.jpg"
        assert project.image_set_root(1) == together / "pets"
        project.place_images(1, together / "pets")

    alone = tmp_path / "alone" / "deep"
    alone.mkdir(parents=True)
    shutil.move(together / closed.name, alone / closed.name)
    with Project.open(alone / closed.name) as project:
        assert project.resolve_image(2) == together / "pets" / "cat" / "1.jpg"
        (together / "pets" / "cat" / "1.jpg").unlink()
        assert project.resolve_image(2) is None
        assert project.resolve_image(99) is None


@pytest.mark.parametrize("path", ["../secret.jpg", "cat/../../secret.jpg", "{root}/secret.jpg"])
def test_images_outside_of_their_set_are_not_looked_at(tmp_path: Path, path: str) -> None:
    root = tmp_path / "pets"
    (root / "cat").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    assert locate_image(tmp_path, "secret.jpg") == tmp_path / "secret.jpg"
    assert locate_image(root, path.format(root=tmp_path.as_posix())) is None


def test_images_change_places_without_losing_their_ids(filled: Project, tmp_path: Path) -> None:
    filled.place_images(1, tmp_path, {1: "cat/1.jpg", 2: "dog/0.jpg"})
    assert filled.image_set_root(1) == tmp_path
    paths = dict(tuple(row) for row in filled.rows("SELECT id, path FROM image"))
    assert paths == {1: "cat/1.jpg", 2: "dog/0.jpg", 3: "cat/2.jpg"}
    filled.place_images(1, tmp_path, {1: "dog/0.jpg", 2: "cat/1.jpg"})
    paths = dict(tuple(row) for row in filled.rows("SELECT id, path FROM image"))
    assert paths == {1: "dog/0.jpg", 2: "cat/1.jpg", 3: "cat/2.jpg"}


def test_an_image_whose_place_another_one_takes_lies_nowhere(
    filled: Project, tmp_path: Path
) -> None:
    (tmp_path / "cat").mkdir()
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        (tmp_path / "cat" / name).write_bytes(b"1234")
    filled.place_images(1, tmp_path, {1: "cat/2.jpg"})
    assert filled.resolve_image(1) == tmp_path / "cat" / "2.jpg"
    assert filled.resolve_image(2) == tmp_path / "cat" / "1.jpg"
    assert filled.resolve_image(3) is None


def test_images_that_are_added_again_keep_their_id(filled: Project, make: SimpleNamespace) -> None:
    added = [make.image("cat/1.jpg", label="lynx"), make.image("cat/9.jpg")]
    assert filled.add_images(1, added) == 2
    found = filled.rows("SELECT id, path, label FROM image ORDER BY id")
    assert [tuple(row) for row in found] == [
        (1, "cat/0.jpg", "cat"),
        (2, "cat/1.jpg", "lynx"),
        (3, "cat/2.jpg", "cat"),
        (4, "cat/9.jpg", "cat"),
    ]


def test_many_images_are_added_in_one_go(project: Project, make: SimpleNamespace) -> None:
    image_set = project.add_image_set("many", "somewhere", "flat folder")
    count = project.add_images(image_set, (make.image(f"{i}.jpg") for i in range(50_000)))
    assert count == project.value("SELECT count(*) FROM image") == 50_000


def test_names_are_given_once(filled: Project) -> None:
    with pytest.raises(AuditError, match="Another image set is called “pets”"):
        filled.add_image_set("pets", "somewhere", "flat folder")
    with pytest.raises(AuditError, match="Another model is called “A”"):
        filled.add_model("A", "timm:resnet18")
    filled.add_label_planes("parts", "somewhere", "masks", 1)
    with pytest.raises(AuditError, match="Another label set is called “parts”"):
        filled.add_label_planes("parts", "elsewhere", "masks")


def test_what_runs_use_stays(filled: Project) -> None:
    with pytest.raises(AuditError, match="“A” is used by a run"):
        filled.remove_model("A")
    with pytest.raises(AuditError, match="used by a run"):
        filled.remove_image_set(1)
    assert filled.value("SELECT count(*) FROM image") == 3
    assert filled.value("SELECT count(*) FROM model") == 2


def test_a_renamed_model_is_renamed_everywhere(filled: Project) -> None:
    filled.rename_model("B", "Vision transformer")
    for table, column in [
        ("model", "name"),
        ("layer", "model"),
        ("run", "model_b"),
        ("patch", "predictor_model"),
    ]:
        names = {row[0] for row in filled.rows(f"SELECT DISTINCT {column} FROM {table}")}
        assert "Vision transformer" in names
        assert "B" not in names
    filled.rename_model("A", "A")
    with pytest.raises(AuditError, match="Another model is called “A”"):
        filled.rename_model("Vision transformer", "A")
    with pytest.raises(AuditError, match="no model “C”"):
        filled.rename_model("C", "D")


def test_models_keep_their_order_and_layers(filled: Project, make: SimpleNamespace) -> None:
    layers = [make.layer("stem", 0), make.layer("penultimate", 1, shape=(8,))]
    filled.add_model("C", "sample:tiny", layers=layers, spread=["penultimate"])
    positions = filled.rows("SELECT name, position FROM model ORDER BY position")
    assert [tuple(row) for row in positions] == [("A", 0), ("B", 1), ("C", 2)]
    found = filled.rows("SELECT name, shape, spread FROM layer WHERE model = 'C' ORDER BY position")
    assert [tuple(row) for row in found] == [("stem", "[8, 4, 4]", 0), ("penultimate", "[8]", 1)]
    assert filled.value("SELECT class_names FROM model WHERE name = 'A'") == '["cat", "dog"]'


def test_small_pictures(filled: Project, make: SimpleNamespace) -> None:
    thumbnail = filled.thumbnail(1)
    assert thumbnail is not None
    assert (thumbnail.width, thumbnail.height, thumbnail.data) == (64, 48, make.webp)
    assert filled.thumbnail(2) is None
    assert filled.images_without_thumbnail([3, 1, 2]) == [3, 2]
    filled.add_thumbnails([(1, 32, 24, make.webp), (2, 10, 10, make.webp)])
    replaced = filled.thumbnail(1)
    assert replaced is not None
    assert replaced.width == 32
    assert filled.images_without_thumbnail([1, 2, 3]) == [3]


@pytest.mark.parametrize(
    ("width", "height", "data"),
    [(64, 48, b"GIF89a" + bytes(20)), (64, 48, bytes(3 * 2**20)), (9999, 48, None), (0, 1, None)],
    ids=["no WebP", "too many bytes", "too wide", "no width"],
)
def test_only_small_webp_pictures_are_pictures(
    filled: Project, make: SimpleNamespace, width: int, height: int, data: bytes | None
) -> None:
    data = make.webp if data is None else data
    with pytest.raises(AuditError, match="no small WebP"):
        filled.add_thumbnails([(2, width, height, data)])
    assert filled.thumbnail(2) is None
    with filled.transaction() as connection:
        connection.execute(
            "INSERT INTO thumbnail (image, width, height, format, data)"
            " VALUES (2, ?, ?, 'webp', ?)",
            (width, height, data),
        )
    assert filled.thumbnail(2) is None
