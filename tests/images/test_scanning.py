"""Scanning is whole, in order, lazy, and stops when asked."""

from __future__ import annotations

import gc
import hashlib
import itertools
import threading
import tracemalloc
from pathlib import Path

import pytest

from analysis.errors import Cancelled
from analysis.images import scanning
from analysis.images.scanning import RejectedImage, ScannedImage, open_source, scan
from analysis.progress import Progress


def test_every_field(class_folders: Path) -> None:
    results = list(scan(open_source(class_folders), Progress()))
    assert len(results) == 6
    for image in results:
        assert isinstance(image, ScannedImage)
        content = (class_folders / image.path).read_bytes()
        assert image.sha256 == hashlib.sha256(content).hexdigest()
        assert image.size_bytes == len(content)
        assert (image.width, image.height) == (48, 32)
        assert image.label == image.path.split("/")[0]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_order_does_not_depend_on_workers(tmp_path: Path, picture, workers: int) -> None:
    for number in range(40):
        picture(8 + 5 * (number % 7), 8).save(tmp_path / f"{number:02}.png")
    results = list(scan(open_source(tmp_path), Progress(), workers))
    assert [image.path for image in results] == [f"{number:02}.png" for number in range(40)]


def test_damaged_images_are_listed_in_their_place(class_folders: Path, picture) -> None:
    picture(300, 300).save(class_folders / "dog" / "0.jpg", quality=95)
    (class_folders / "cat" / "1.png").write_bytes(b"")
    whole = (class_folders / "dog" / "0.jpg").read_bytes()
    (class_folders / "dog" / "0.jpg").write_bytes(whole[: len(whole) // 2])
    (class_folders / "dog" / "3.gif").write_bytes(b"GIF89a")
    results = list(scan(open_source(class_folders), Progress()))
    assert [item.path for item in results] == sorted(item.path for item in results)
    assert {item.path: item.reason for item in results if isinstance(item, RejectedImage)} == {
        "cat/1.png": "The file is empty (0 bytes).",
        "dog/0.jpg": "The file is cut short: part of the image is missing.",
        "dog/3.gif": "GIF images are not read; convert it to JPEG or PNG.",
    }
    assert len(results) == 7


def test_image_that_disappears_meanwhile(class_folders: Path, monkeypatch) -> None:
    inspect = scanning.inspect_image

    def remove_last_and_inspect(path: Path, check: object) -> tuple[int, int, str, int]:
        (class_folders / "dog" / "2.webp").unlink(missing_ok=True)
        return inspect(path)

    monkeypatch.setattr(scanning, "inspect_image", remove_last_and_inspect)
    results = list(scan(open_source(class_folders), Progress()))
    assert len(results) == 6
    assert results[-1] == RejectedImage("dog/2.webp", "The file is not there.")


def test_progress_in_plain_words(class_folders: Path) -> None:
    reports: list[tuple[float, float, str]] = []
    progress = Progress(lambda done, total, text, left: reports.append((done, total, text)))
    list(scan(open_source(class_folders), progress))
    assert reports[0][2] == "Looking for images: 1 found"
    assert reports[-1] == (6, 6, "6 of 6 images read")


def test_nothing_is_read_before_it_is_asked_for(class_folders: Path, monkeypatch) -> None:
    read: list[Path] = []
    inspect = scanning.inspect_image

    def spy(path: Path, check: object) -> tuple[int, int, str, int]:
        read.append(path)
        return inspect(path)

    monkeypatch.setattr(scanning, "inspect_image", spy)
    monkeypatch.setattr(scanning, "_BATCH", 1)
    results = scan(open_source(class_folders), Progress(), workers=1)
    assert read == []
    next(results)
    results.close()
    assert 1 <= len(read) <= 6


def test_reading_ahead_is_bounded(tmp_path: Path, picture, monkeypatch) -> None:
    data = tmp_path / "0000.png"
    picture(8, 8).save(data)
    for number in range(1, 400):
        (tmp_path / f"{number:04}.png").write_bytes(data.read_bytes())
    read = itertools.count()
    inspect = scanning.inspect_image

    def spy(path: Path, check: object) -> tuple[int, int, str, int]:
        next(read)
        return inspect(path)

    monkeypatch.setattr(scanning, "inspect_image", spy)
    results = scan(open_source(tmp_path), Progress(), workers=2)
    next(results)
    results.close()
    assert next(read) <= 10 * scanning._BATCH


@pytest.mark.parametrize("after", [0, 20])
def test_cancelled(tmp_path: Path, picture, after: int) -> None:
    picture(8, 8).save(tmp_path / "0000.png")
    for number in range(1, 200):
        (tmp_path / f"{number:04}.png").write_bytes((tmp_path / "0000.png").read_bytes())
    progress = Progress()
    results = scan(open_source(tmp_path), progress)
    assert len(list(itertools.islice(results, after))) == after
    progress.cancel()
    with pytest.raises(Cancelled):
        next(results)


def test_cancelled_while_a_file_takes_long(class_folders: Path, monkeypatch) -> None:
    """The caller is free at once, although the thread is still busy with its file."""
    progress = Progress()
    released = threading.Event()
    busy = threading.Event()

    def endless(path: Path, check: object) -> tuple[int, int, str, int]:
        busy.set()
        progress.cancel()
        released.wait()
        return 1, 1, "", 1

    monkeypatch.setattr(scanning, "inspect_image", endless)
    try:
        with pytest.raises(Cancelled):
            list(scan(open_source(class_folders), progress))
        assert busy.is_set()
        assert not released.is_set()
    finally:
        released.set()


def peak_of_scanning(folder: Path) -> int:
    source = open_source(folder)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in scan(source, Progress()):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_set(tmp_path: Path, picture) -> None:
    """Ten times the images in ten times the folders need no more memory."""
    picture(8, 8).save(tmp_path / "one.png")
    content = (tmp_path / "one.png").read_bytes()
    for size in (10, 100):
        for number in range(size):
            folder = tmp_path / str(size) / f"class_{number:03}"
            folder.mkdir(parents=True)
            for image in range(20):
                (folder / f"{image}.png").write_bytes(content)
    peak_of_scanning(tmp_path / "10")  # caches of Pillow and of Python fill now
    few, many = peak_of_scanning(tmp_path / "10"), peak_of_scanning(tmp_path / "100")
    assert many < few + 250_000
