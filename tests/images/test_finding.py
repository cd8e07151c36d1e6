"""Images are found again by their content, whatever they are called and wherever they lie."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import Cancelled
from analysis.images.finding import FoundFiles, WantedFile, find_files
from analysis.progress import Progress


def _wanted(root: Path) -> list[WantedFile]:
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return [
        WantedFile(
            number,
            file.relative_to(root).as_posix(),
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_size,
        )
        for number, file in enumerate(files)
    ]


def _find(folder: Path, wanted: list[WantedFile]) -> FoundFiles:
    return find_files(folder, wanted, Progress())


def test_an_untouched_folder_keeps_its_paths(class_folders: Path, tmp_path: Path) -> None:
    wanted = _wanted(class_folders)
    moved = shutil.copytree(class_folders, tmp_path / "elsewhere")
    found = _find(moved, wanted)
    assert found == FoundFiles(moved, {image.key: image.path for image in wanted})


def test_a_folder_above_will_do(class_folders: Path, tmp_path: Path) -> None:
    wanted = _wanted(class_folders)
    above = tmp_path / "backup"
    shutil.copytree(class_folders, above / "old" / "set")
    found = _find(above, wanted)
    assert found.root == above / "old" / "set"
    assert found.paths == {image.key: image.path for image in wanted}


def test_renamed_and_reshuffled_files_are_found(class_folders: Path, tmp_path: Path) -> None:
    wanted = _wanted(class_folders)
    new = tmp_path / "flat"
    new.mkdir()
    expected = {}
    for image in wanted:
        name = f"{(image.key * 5) % 7} renamed{Path(image.path).suffix.upper()}"
        shutil.copy(class_folders / image.path, new / name)
        expected[image.key] = name
    assert _find(new, wanted) == FoundFiles(new, expected)


def test_two_images_that_changed_names_are_told_apart(class_folders: Path) -> None:
    wanted = _wanted(class_folders)
    one, other = class_folders / "cat/0.jpg", class_folders / "dog/0.jpg"
    spare = class_folders / "spare.jpg"
    one.rename(spare)
    other.rename(one)
    spare.rename(other)
    paths = _find(class_folders, wanted).paths
    by_old = {image.path: paths[image.key] for image in wanted}
    assert by_old["cat/0.jpg"] == "dog/0.jpg"
    assert by_old["dog/0.jpg"] == "cat/0.jpg"
    assert by_old["cat/1.png"] == "cat/1.png"


def test_other_content_under_the_same_name_is_another_image(class_folders: Path) -> None:
    wanted = _wanted(class_folders)
    file = class_folders / "cat" / "1.png"
    data = bytearray(file.read_bytes())
    data[-20] ^= 1  # of the same size
    file.write_bytes(bytes(data))
    (class_folders / "dog" / "2.webp").unlink()
    missing = {image.path for image in wanted} - set(_find(class_folders, wanted).paths.values())
    assert missing == {"cat/1.png", "dog/2.webp"}


def test_equal_files_go_to_the_most_alike_path_and_to_one_image_each(tmp_path: Path) -> None:
    old = tmp_path / "old"
    for path in ("a/blank.png", "b/blank.png", "c/other.png"):
        (old / path).parent.mkdir(parents=True)
        (old / path).write_bytes(b"blank")
    wanted = _wanted(old)
    new = tmp_path / "new"
    for path in ("x/b/blank.png", "x/a/blank.png"):
        (new / path).parent.mkdir(parents=True)
        (new / path).write_bytes(b"blank")
    found = _find(new, wanted)
    by_old = {image.path: found.paths.get(image.key) for image in wanted}
    assert found.root == new / "x"
    assert by_old == {"a/blank.png": "a/blank.png", "b/blank.png": "b/blank.png",
                      "c/other.png": None}  # fmt: skip


def test_very_many_equal_files_are_given_out_quickly(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number:03}.png").write_bytes(b"blank")
    wanted = _wanted(tmp_path)
    found = _find(tmp_path, wanted)
    assert found.paths == {image.key: image.path for image in wanted}


def test_images_of_unknown_content_are_known_by_path_and_size(tmp_path: Path) -> None:
    (tmp_path / "known.png").write_bytes(b"1234")
    wanted = [
        WantedFile(1, "known.png", None, 4),
        WantedFile(2, "known.png", None, 5),
        WantedFile(3, "known.png", None, None),
        WantedFile(4, "../known.png", None, None),
        WantedFile(5, "gone.png", None, None),
    ]
    assert _find(tmp_path, wanted).paths == {1: "known.png", 3: "known.png"}


def test_nothing_but_images_is_read(class_folders: Path) -> None:
    wanted = _wanted(class_folders)
    (class_folders / "cat" / "0.jpg").rename(class_folders / "cat" / "0.txt")
    paths = _find(class_folders, wanted).paths
    assert len(paths) == len(wanted) - 1


def test_the_search_can_be_stopped(class_folders: Path) -> None:
    progress = Progress(lambda *_report: progress.cancel())
    with pytest.raises(Cancelled):
        find_files(class_folders, _wanted(class_folders), progress)
    assert threading.current_thread() is threading.main_thread()


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
def test_any_shuffling_is_undone(order: list[int], kept: list[bool]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        contents = [f"picture {number}".encode() for number in range(6)]
        wanted = [
            WantedFile(number, f"{number}.png", hashlib.sha256(data).hexdigest(), len(data))
            for number, data in enumerate(contents)
        ]
        for place, number in enumerate(order):
            if kept[number]:
                (root / f"{place}.png").write_bytes(contents[number])
        expected = {n: f"{place}.png" for place, n in enumerate(order) if kept[n]}
        assert _find(root, wanted).paths == expected
