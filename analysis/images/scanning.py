"""Reading through an image set once: what is there, whole, and of what content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice

from analysis.images.decoding import ImageProblem, inspect_image
from analysis.images.ordered import ordered_map
from analysis.images.sources import Candidate, ImageSource, candidates, open_source
from analysis.images.walking import RejectedImage
from analysis.progress import Progress

__all__ = ["ImageSource", "RejectedImage", "ScannedImage", "open_source", "scan"]

_BATCH = 8  # images given to a thread at once, so that handing over costs little


@dataclass(frozen=True, slots=True)
class ScannedImage:
    """An image that has been decoded once.

    :ivar path: posix, relative to the root of its source (or absolute, if a list says so).
    :ivar label: its class, None where the source names none.
    :ivar split: train, val, …; None where the source names none.
    :ivar width: of the upright image (EXIF applied), in pixels; `height` likewise.
    :ivar sha256: of the file's bytes, in hexadecimal.
    """

    path: str
    label: str | None
    split: str | None
    width: int
    height: int
    sha256: str
    size_bytes: int


def scan(
    source: ImageSource, progress: Progress, workers: int = 2
) -> Iterator[ScannedImage | RejectedImage]:
    """Read every image of a source once, lazily: folders in the order of their paths (posix, by
    code point), lists and Broden layouts in their own order.

    Each file is hashed and decoded to its end to be sure that it is whole. Memory does not grow
    with the number of images, but for the names of one folder and, for lists, the paths. Damaged,
    huge and unsupported images are given with their reason.

    :param workers: threads that read ahead.
    :raises Cancelled: within a fraction of a second after `progress` is cancelled.
    """
    total = _count(source, progress)

    def examine(batch: list[Candidate | RejectedImage]) -> list[ScannedImage | RejectedImage]:
        return [_examine(item, progress) for item in batch]

    done = 0
    listed = candidates(source, progress.check_cancelled)
    with closing(ordered_map(examine, _batches(listed), progress, workers)) as batches:
        for result in chain.from_iterable(batches):
            done += 1
            total = max(total, done)
            progress.report(done, total, f"{done:,} of {total:,} images read")
            yield result


def _count(source: ImageSource, progress: Progress) -> int:
    """How many files there are to read; listing them is quick beside decoding them."""
    total = 0
    for _ in candidates(source, progress.check_cancelled):
        total += 1
        if total % 256 == 1:
            progress.report(0, 1, f"Looking for images: {total:,} found")
    return total


def _examine(item: Candidate | RejectedImage, progress: Progress) -> ScannedImage | RejectedImage:
    if isinstance(item, RejectedImage):
        return item
    progress.check_cancelled()
    try:
        width, height, sha256, size_bytes = inspect_image(item.file, progress.check_cancelled)
    except ImageProblem as problem:
        return RejectedImage(item.path, problem.summary)
    return ScannedImage(item.path, item.label, item.split, width, height, sha256, size_bytes)


def _batches(
    items: Iterable[Candidate | RejectedImage],
) -> Iterator[list[Candidate | RejectedImage]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
