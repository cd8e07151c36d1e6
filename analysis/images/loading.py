"""Loading the frames of many images in threads, ahead of the model that waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import decode_image
from analysis.images.ordered import ordered_map
from analysis.progress import Progress


@dataclass(frozen=True)
class LoadedFrame:
    """What became of one image.

    :ivar index: its place in the given paths.
    :ivar pixels: what the transform made of it; None if the image could not be read.
    :ivar problem: why not, in plain words; None for a good image.
    """

    index: int
    pixels: Any
    problem: str | None


def load_frames(
    paths: Sequence[Path],
    transform: Callable[[Image.Image], Any],
    progress: Progress,
    workers: int = 2,
    at_least: int | None = None,
) -> Iterator[LoadedFrame]:
    """Decode and transform images in `workers` threads; one result for each path, in order.

    At most four images a thread are ahead of the caller, so memory does not grow with the set.
    A damaged image is given with its problem and never stops the rest; `progress` is not reported
    to (the caller knows what its steps are), but its wish to stop is seen within a twentieth of a
    second.

    :param transform: from the upright RGB image, as `Frame.apply`, to an array or, to decode once
        for several models, a tuple of arrays; called in the threads. An `AuditError` of it counts
        as a problem of that image, any other exception is passed on.
    :param at_least: as in `decode_image`; None decodes in full, the same pixels everywhere.
    :raises Cancelled: when `progress` is cancelled.
    """

    def load(item: tuple[int, Path]) -> LoadedFrame:
        index, path = item
        try:
            return LoadedFrame(index, transform(decode_image(path, at_least)), None)
        except AuditError as problem:
            return LoadedFrame(index, None, problem.summary)
        except MemoryError:
            return LoadedFrame(index, None, "There is not enough memory for this image.")

    return ordered_map(load, enumerate(paths), progress, workers)
