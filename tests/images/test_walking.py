"""What lies about in real folders: hidden files, sidecars, links, unreadable and odd names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from analysis.errors import Cancelled
from analysis.images.walking import FoundFile, RejectedImage, walk


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def found(root: Path) -> list[str]:
    return [item.path for item in walk(root) if isinstance(item, FoundFile)]


def rejected(root: Path) -> dict[str, str]:
    return {item.path: item.reason for item in walk(root) if isinstance(item, RejectedImage)}


def link(target: Path, at: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    try:
        at.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this user cannot make links")


def test_order_is_that_of_whole_paths(tmp_path: Path) -> None:
    names = ["a.jpg", "a/b.jpg", "a/a.jpg", "a-b/c.png", "B.jpg", "a0.tif", "é/x.bmp", "Z/1.webp"]
    touch(tmp_path, *names)
    assert found(tmp_path) == sorted(names)


def test_other_files_are_passed_over_quietly(tmp_path: Path) -> None:
    touch(tmp_path, "a.JPG", "Thumbs.db", "desktop.ini", ".hidden.jpg", "._a.jpg", "a.xmp", "a.txt")
    touch(
        tmp_path, "__MACOSX/a.jpg", ".cache/b.jpg", "@eaDir/c.jpg", "labels.csv", "README", "d.pt"
    )
    assert found(tmp_path) == ["a.JPG"]
    assert rejected(tmp_path) == {}


def test_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.heic", "b.GIF")
    assert rejected(tmp_path) == {
        "a.heic": "HEIC images are not read; convert it to JPEG or PNG.",
        "b.GIF": "GIF images are not read; convert it to JPEG or PNG.",
    }


def test_link_to_a_containing_folder_ends(tmp_path: Path) -> None:
    touch(tmp_path, "a/b/c.jpg")
    link(tmp_path, tmp_path / "a" / "b" / "up")
    link(tmp_path / "a", tmp_path / "a" / "self")
    assert found(tmp_path) == ["a/b/c.jpg"]
    assert rejected(tmp_path) == dict.fromkeys(
        ("a/b/up/", "a/self/"), "It is a link to a folder that it lies in."
    )


def test_links_that_point_at_each_other_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    link(tmp_path / "b", tmp_path / "a" / "to_b")
    link(tmp_path / "a", tmp_path / "b" / "to_a")
    assert {"a/1.jpg", "b/2.jpg"} <= set(found(tmp_path))
    assert len(found(tmp_path)) <= 4


def test_links_to_classes_elsewhere_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/1.jpg")
    link(tmp_path / "elsewhere", tmp_path / "set" / "cat")
    link(tmp_path / "elsewhere", tmp_path / "set" / "cat_again")
    link(tmp_path / "elsewhere" / "1.jpg", tmp_path / "set" / "dog" / "one.jpg")
    assert found(tmp_path / "set") == ["cat/1.jpg", "dog/one.jpg"]
    assert rejected(tmp_path / "set") == {
        "cat_again/": "It is a link to a folder that is read already."
    }


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    touch(tmp_path, "good.jpg")
    link(tmp_path / "nothing.jpg", tmp_path / "broken.jpg")
    link(tmp_path / "circle.jpg", tmp_path / "circle.jpg")
    assert found(tmp_path) == ["good.jpg"]
    assert rejected(tmp_path) == dict.fromkeys(
        ("broken.jpg", "circle.jpg"), "It is a link that leads nowhere."
    )


def test_unreadable_folder_is_listed_and_the_rest_goes_on(tmp_path: Path, monkeypatch) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    scandir = os.scandir

    def refuse_b(folder: str) -> object:
        if str(folder).endswith("b"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse_b)
    assert found(tmp_path) == ["a/1.jpg", "c/3.jpg"]
    assert rejected(tmp_path) == {"b/": "There is no permission to read it."}


@pytest.mark.skipif(
    sys.platform == "win32" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not hold for this user",
)
def test_folder_without_permission(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "b").chmod(0)
    try:
        assert found(tmp_path) == ["a/1.jpg"]
        assert list(rejected(tmp_path)) == ["b/"]
    finally:
        (tmp_path / "b").chmod(0o700)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
        (tmp_path / os.fsdecode(b"folder\xff")).mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such names")
    touch(tmp_path, "café.jpg")
    (tmp_path / os.fsdecode(b"folder\xff") / "a.jpg").touch()
    assert found(tmp_path) == ["café.jpg"]
    assert rejected(tmp_path) == dict.fromkeys(
        ("caf\\xe9.jpg", "folder\\xff/"), "Its name is not valid UTF-8 text; rename it."
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_not_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert rejected(tmp_path) == {"pipe.jpg": "It is not a file."}


def test_check_is_asked_within_one_folder(tmp_path: Path) -> None:
    """A folder of very many files that are no images can be left as well."""
    touch(tmp_path, *(f"{n}.txt" for n in range(20)))
    asked = []

    def stop_at_ten() -> None:
        asked.append(None)
        if len(asked) == 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(walk(tmp_path, stop_at_ten))
    assert len(asked) == 10
