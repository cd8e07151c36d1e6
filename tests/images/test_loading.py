"""Loading in threads: in order, few ahead, never stopped by one bad image, stopped when asked."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError, Cancelled
from analysis.images.decoding import decode_image
from analysis.images.frames import Frame
from analysis.images.loading import load_frames
from analysis.images.ordered import ordered_map
from analysis.progress import Progress

FRAME = Frame(24, 24)


@pytest.fixture
def paths(tmp_path: Path, picture) -> list[Path]:
    files = [tmp_path / f"{number:02}.png" for number in range(30)]
    for number, path in enumerate(files):
        picture(40 + 200 * (number % 3 == 0), 30, seed=number).save(path)
    return files


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_in_order_and_equal_to_one_by_one(paths: list[Path], workers: int) -> None:
    frames = list(load_frames(paths, FRAME.apply, Progress(), workers))
    assert [frame.index for frame in frames] == list(range(30))
    for frame, path in zip(frames, paths, strict=True):
        assert frame.problem is None
        assert (frame.pixels == FRAME.apply(decode_image(path))).all()


def test_damaged_images_do_not_stop_it(paths: list[Path]) -> None:
    paths[3].write_bytes(b"")
    paths[7].unlink()
    paths[29].write_bytes(paths[29].read_bytes()[:60])
    frames = list(load_frames(paths, FRAME.apply, Progress()))
    problems = {frame.index: frame.problem for frame in frames if frame.pixels is None}
    assert problems.keys() == {3, 7, 29}
    assert problems[3] == "The file is empty (0 bytes)."
    assert problems[7] == "The file is not there."
    assert sum(frame.problem is None for frame in frames) == 27


def test_several_transforms_of_one_decoding(paths: list[Path]) -> None:
    small, large = Frame(8, 8), Frame(32, 32)

    def both(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        return small.apply(image), large.apply(image)

    frame = next(load_frames(paths, both, Progress()))
    assert [pixels.shape for pixels in frame.pixels] == [(8, 8, 3), (32, 32, 3)]


def test_problem_of_the_transform_belongs_to_the_image(paths: list[Path]) -> None:
    def refuse_wide(image: Image.Image) -> np.ndarray:
        if image.width > 40:
            raise AuditError("The image is too wide.")
        return FRAME.apply(image)

    frames = list(load_frames(paths, refuse_wide, Progress()))
    assert [f.index for f in frames if f.problem == "The image is too wide."] == [*range(0, 30, 3)]


def test_mistake_in_the_transform_is_passed_on(paths: list[Path]) -> None:
    def mistaken(image: Image.Image) -> np.ndarray:
        raise KeyError("no such thing")

    with pytest.raises(KeyError):
        list(load_frames(paths, mistaken, Progress()))


def test_large_jpegs_may_be_decoded_smaller(tmp_path: Path, picture) -> None:
    picture(800, 600).save(tmp_path / "large.jpg")
    sizes = [
        next(load_frames([tmp_path / "large.jpg"], np.asarray, Progress(), at_least=least))
        for least in (None, 150)
    ]
    assert [frame.pixels.shape for frame in sizes] == [(600, 800, 3), (150, 200, 3)]


def test_no_paths() -> None:
    assert list(load_frames([], FRAME.apply, Progress())) == []


def test_cancelled(paths: list[Path]) -> None:
    progress = Progress()
    frames = load_frames(paths, FRAME.apply, progress)
    next(frames)
    progress.cancel()
    with pytest.raises(Cancelled):
        next(frames)


def test_cancelled_while_all_threads_are_busy() -> None:
    progress = Progress()
    released = threading.Event()

    def busy(item: int) -> int:
        progress.cancel()
        released.wait()
        return item

    try:
        with pytest.raises(Cancelled):
            list(ordered_map(busy, range(100), progress, workers=2))
        assert not released.is_set()
    finally:
        released.set()


def test_only_a_few_items_are_ahead() -> None:
    drawn: list[int] = []

    def items():
        for number in range(1000):
            drawn.append(number)
            yield number

    results = ordered_map(lambda item: item, items(), Progress(), workers=2, ahead=6)
    for count, result in enumerate(results):
        assert result == count
        assert len(drawn) <= count + 7
        if count == 50:
            results.close()
    assert len(drawn) <= 57


def test_what_has_not_begun_is_dropped_when_closed() -> None:
    begun: list[int] = []
    released = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item > 0:
            released.wait()
        return item

    results = ordered_map(work, range(100), Progress(), workers=1, ahead=10)
    assert next(results) == 0
    results.close()
    released.set()
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("images")]
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(begun) <= 2


def test_timeout_error_of_the_work_is_passed_on() -> None:
    def late(item: int) -> int:
        raise TimeoutError("the network folder does not answer")

    with pytest.raises(TimeoutError, match="network folder"):
        list(ordered_map(late, [1], Progress(), workers=1))
