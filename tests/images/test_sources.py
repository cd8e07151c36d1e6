"""What kind of image set a folder or a file is, and the labels it gives."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.images.scanning import ImageSource, RejectedImage, ScannedImage, open_source, scan
from analysis.progress import Progress


def scanned(source: ImageSource) -> list[ScannedImage]:
    return [item for item in scan(source, Progress()) if isinstance(item, ScannedImage)]


def rejected(source: ImageSource) -> dict[str, str]:
    results = scan(source, Progress())
    return {item.path: item.reason for item in results if isinstance(item, RejectedImage)}


def labels(source: ImageSource) -> dict[str, str | None]:
    return {image.path: image.label for image in scanned(source)}


def test_class_folders(class_folders: Path) -> None:
    source = open_source(class_folders)
    assert (source.root, source.kind) == (class_folders, "class folders")
    assert labels(source) == {
        f"{name}/{file}": name for name in ("cat", "dog") for file in ("0.jpg", "1.png", "2.webp")
    }
    assert {image.split for image in scanned(source)} == {None}


def test_nested_folders_belong_to_the_class_above(class_folders: Path, picture) -> None:
    (class_folders / "cat" / "kittens").mkdir()
    picture().save(class_folders / "cat" / "kittens" / "9.png")
    picture().save(class_folders / "stray.png")
    found = labels(open_source(class_folders))
    assert found["cat/kittens/9.png"] == "cat"
    assert found["stray.png"] is None


def test_splits_above_the_classes(tmp_path: Path, picture) -> None:
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            picture().save(tmp_path / split / name / "1.png")
    source = open_source(tmp_path)
    assert source.kind == "class folders"
    assert [(i.path, i.split, i.label) for i in scanned(source)] == [
        ("train/cat/1.png", "train", "cat"),
        ("train/dog/1.png", "train", "dog"),
        ("val/cat/1.png", "val", "cat"),
        ("val/dog/1.png", "val", "dog"),
    ]


def test_flat_folder(tmp_path: Path, picture) -> None:
    picture().save(tmp_path / "b.png")
    picture().save(tmp_path / "a.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read me.txt").touch()
    source = open_source(tmp_path)
    assert source.kind == "flat folder"
    assert labels(source) == {"a.png": None, "b.png": None}


def test_list(class_folders: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    absolute = class_folders / "dog" / "0.jpg"
    file.write_text(
        "\ufeff# photographs of the second visit\n"
        "set/dog/1.png\ta dog\n"
        "\n"
        "  set/cat/0.jpg  \r\n"
        f"{absolute}\tdog\tval\n"
        "set/dog/1.png\tcat\n"
        "set/nothing.png\tcat\n"
        "set/cat\n"
        "set/cat/0.heic\n",
        encoding="utf-8",
    )
    source = open_source(file)
    assert (source.root, source.kind, source.file) == (tmp_path, "list", file)
    assert [(i.path, i.label, i.split) for i in scanned(source)] == [
        ("set/dog/1.png", "a dog", None),
        ("set/cat/0.jpg", None, None),
        (absolute.as_posix(), "dog", "val"),
    ]
    assert all((source.root / image.path).is_file() for image in scanned(source))
    assert rejected(source) == {
        "set/dog/1.png": "The list names it more than once; the first counts.",
        "set/nothing.png": "The file is not there.",
        "set/cat": "This is a folder, not an image.",
        "set/cat/0.heic": "HEIC images are not read; convert it to JPEG or PNG.",
    }


def test_list_written_on_windows(class_folders: Path) -> None:
    file = class_folders / "list.txt"
    file.write_bytes(b"cat\\0.jpg\tcat\r\ndog\\1.png\tdog\r\n")
    assert labels(open_source(file)) == {"cat/0.jpg": "cat", "dog/1.png": "dog"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "names no image"),
        (b"# only words\n\n", "names no image"),
        (b"caf\xe9.jpg\n", "UTF-8"),
        (b"a.jpg\n" * 5000 + b"caf\xe9.jpg\n", "UTF-8"),
        (b"PK\x03\x04\0\0\0\0", "UTF-8"),
    ],
)
def test_bad_lists(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(AuditError, match=expected) as problem:
        open_source(tmp_path / "list.txt")
    assert problem.value.hint


def test_one_image_is_no_set(class_folders: Path) -> None:
    with pytest.raises(AuditError, match="one image, not a set"):
        open_source(class_folders / "cat" / "0.jpg")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="no folder or list") as problem:
        open_source(tmp_path / "nothing")
    assert "one folder per class" in problem.value.hint


@pytest.mark.parametrize("others", [(), ("cat/", "dog/"), ("Thumbs.db", "notes.txt", ".a.jpg")])
def test_empty_folder(tmp_path: Path, others: tuple[str, ...]) -> None:
    for name in others:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    with pytest.raises(AuditError, match="no image") as problem:
        open_source(tmp_path)
    assert "JPEG, PNG" in problem.value.hint


def test_folder_of_a_format_that_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.heic").touch()
    with pytest.raises(AuditError, match="no image") as problem:
        open_source(tmp_path)
    assert "HEIC" in problem.value.hint


def test_unreadable_folder(class_folders: Path, monkeypatch) -> None:
    def refuse(folder: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(AuditError, match="no permission"):
        open_source(class_folders)


@pytest.fixture
def broden(tmp_path: Path, picture) -> Path:
    """Two photographs, one of them twice, one missing, with planes beside them."""
    root = tmp_path / "layout"
    (root / "images" / "beach").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg", "1_object.png", "1_colour.png", "2_object.png"):
        picture().save(root / "images" / "beach" / name)
    columns = ["image", "split", "ih", "iw", "sh", "sw", "object", "color", "scene"]
    rows = [
        ["beach/2.jpg", "val", 32, 48, 32, 48, "beach/2_object.png", "", "7"],
        ["beach/1.jpg", "train", 32, 48, 32, 48, "beach/1_object.png", "beach/1_colour.png;3", ""],
        ["beach/1.jpg", "train", 32, 48, 32, 48, "", "", ""],
        ["beach/3.jpg", "val", 32, 48, 32, 48, "", "", ""],
    ]
    with open(root / "index.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return root


def test_broden(broden: Path) -> None:
    source = open_source(broden)
    assert (source.root, source.kind) == (broden / "images", "broden")
    assert [(i.path, i.label, i.split) for i in scanned(source)] == [
        ("beach/2.jpg", "beach", "val"),
        ("beach/1.jpg", "beach", "train"),
    ]
    assert rejected(source) == {
        "beach/1.jpg": "The list names it more than once; the first counts.",
        "beach/3.jpg": "The file is not there.",
    }


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("images", ["beach/1.jpg", "beach/2.jpg"]), ("images/beach", ["1.jpg", "2.jpg"])],
)
def test_planes_beside_photographs_are_left_out(broden: Path, folder, expected) -> None:
    source = open_source(broden / folder)
    assert [image.path for image in scanned(source)] == expected
    assert rejected(source) == {}


def test_planes_are_found_from_a_relative_path(broden: Path, monkeypatch) -> None:
    monkeypatch.chdir(broden / "images")
    assert [image.path for image in scanned(open_source(Path()))] == ["beach/1.jpg", "beach/2.jpg"]


def test_same_names_without_an_index_are_photographs(broden: Path) -> None:
    (broden / "index.csv").unlink()
    assert "beach/1_object.png" in labels(open_source(broden / "images"))


def test_empty_broden_index(broden: Path) -> None:
    (broden / "index.csv").write_text("image,split,ih,iw\n")
    with pytest.raises(AuditError, match="names no image"):
        open_source(broden)


def test_damaged_broden_index(broden: Path) -> None:
    (broden / "index.csv").write_bytes(b"image,split\n" + b"a.jpg,val\n" * 2000 + b"\xff,val\n")
    with pytest.raises(AuditError, match="damaged"):
        open_source(broden)


def test_another_index_is_no_broden_layout(class_folders: Path) -> None:
    (class_folders / "index.csv").write_text("image,label\ncat/0.jpg,cat\n")
    assert open_source(class_folders).kind == "class folders"
