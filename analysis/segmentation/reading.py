"""Reading the label planes of a whole image set, once, for all models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import ImageProblem, decode_image, hash_file
from analysis.images.ordered import ordered_map
from analysis.progress import Progress
from analysis.segmentation.merged import LabelPlanes, is_batched
from analysis.segmentation.planes import (
    BatchedPlaneSource,
    LabelSpace,
    PlaneImage,
    PlaneReading,
    empty_reading,
)

_WORKERS = 2

Look = Callable[[int, Image.Image], None]


class PlaneCache(Protocol):
    """Where planes that took long to make are kept (`FeatureCache` fits): matrices of numbers by
    keys; losing one costs time, never results."""

    def read(self, keys: Sequence[bytes]) -> list[np.ndarray] | None: ...

    def write(self, matrices: Mapping[bytes, np.ndarray]) -> None: ...


@dataclass(frozen=True)
class PlaneProblem:
    """What could not be read or understood of one image's planes."""

    path: str
    reason: str


@dataclass(frozen=True)
class PlaneStack:
    """The label planes of a set of images.

    :ivar codes: (images, planes, resolution, resolution) uint16 (int32 above 65,535 concepts);
        the order of an image's planes has no meaning, empty ones come last.
    :ivar space: what the codes mean.
    :ivar complete: bool (images,), False where a plane of the image is missing or unreadable.
    :ivar problems: in the order of the images.
    """

    codes: np.ndarray
    space: LabelSpace
    complete: np.ndarray
    problems: tuple[PlaneProblem, ...]

    @cached_property
    def digest(self) -> str:
        """The sha256 of all planes and what they mean: equal if and only if the labels are."""
        digest = hashlib.sha256(repr((self.codes.shape, str(self.codes.dtype))).encode())
        for concept in self.space.concepts:
            digest.update(json.dumps([concept.name, concept.category]).encode())
        for planes in self.codes:
            digest.update(np.ascontiguousarray(planes).data)
        return digest.hexdigest()


def read_planes(
    planes: LabelPlanes,
    images: Sequence[PlaneImage],
    progress: Progress,
    cache: PlaneCache | None = None,
    workers: int = _WORKERS,
    look: Look | None = None,
) -> PlaneStack:
    """The planes of all images: each file is decoded once, in threads ahead of their use.

    Memory holds the result and a few images. Images whose planes are missing, damaged or of
    another shape keep their place, with what could be read, and are told in `problems`.

    :param cache: where the planes of segmentation models are looked up and kept, keyed by the
        model's content, the image's content, the frame and the grid.
    :param look: called once for every image that can be decoded, in the threads and in no certain
        order, with its place in `images` and its upright RGB pixels: so that whatever else is
        wanted of the images (frames, previews) costs no second decoding.
    :raises AuditError: if there is no image, or not one cell of one image is labelled.
    :raises Cancelled: when `progress` is cancelled.
    """
    if not images:
        raise AuditError("There is no image to read label planes of.", "Add images first.")
    side = planes.resolution
    dtype = np.uint16 if len(planes.space) <= 65_535 else np.int32
    codes = np.zeros((len(images), planes.planes_per_image, side, side), dtype=dtype)
    complete = np.zeros(len(images), dtype=bool)
    problems: list[PlaneProblem] = []
    used = 0
    reader = _Reader(planes, progress, cache, workers, look)
    with closing(reader.readings(images)) as readings:
        for position, reading in enumerate(readings):
            labelled = [plane for plane in reading.codes if plane.any()]
            for slot, plane in enumerate(labelled):
                codes[position, slot] = plane
            used = max(used, len(labelled))
            complete[position] = reading.complete
            path = images[position].path
            problems += [PlaneProblem(path, reason) for reason in reading.problems]
            text = f"Labels of {position + 1:,} of {len(images):,} images read"
            progress.report(position + 1, len(images), text)
    if used == 0:
        raise _nothing(len(images), problems)
    if used < codes.shape[1]:
        codes = codes[:, :used].copy()
    return PlaneStack(codes, planes.space, complete, tuple(problems))


def _nothing(images: int, problems: list[PlaneProblem]) -> AuditError:
    hint = "Check that the labels belong to these images."
    if problems:
        hint = f"The first of {len(problems):,} problems: {problems[0].path}: {problems[0].reason}"
    return AuditError(f"No label was found for any of the {images:,} images.", hint)


@dataclass
class _Pending:
    """An image on its way: what its sources said so far, and inputs that wait for a batch."""

    position: int
    image: PlaneImage
    kept: dict[int, np.ndarray]
    readings: dict[int, PlaneReading] = field(default_factory=dict)
    inputs: dict[int, Any] = field(default_factory=dict)
    problem: str = ""


class _Reader:
    """Reads images in threads and gives what waits for a segmentation model to it in batches."""

    def __init__(
        self,
        planes: LabelPlanes,
        progress: Progress,
        cache: PlaneCache | None,
        workers: int,
        look: Look | None,
    ) -> None:
        self._planes = planes
        self._progress = progress
        self._cache = cache
        self._workers = workers
        self._look = look
        self._batched = {
            place: cast(BatchedPlaneSource, base)
            for place, base in enumerate(planes.bases)
            if is_batched(base)
        }
        self._batch = max((source.batch for source in self._batched.values()), default=1)

    def readings(self, images: Sequence[PlaneImage]) -> Generator[PlaneReading, None, None]:
        """One for each image, in order, as `LabelPlanes.read` gives it."""
        items = (_Pending(i, image, self._kept(image)) for i, image in enumerate(images))
        waiting: list[_Pending] = []
        with closing(ordered_map(self._load, items, self._progress, self._workers)) as loaded:
            for pending in loaded:
                waiting.append(pending)
                inputs = sum(bool(one.inputs) for one in waiting)
                # What is kept already must not pile up behind an image that waits for a batch.
                if inputs in (0, self._batch) or len(waiting) >= 4 * self._batch:
                    yield from self._finish(waiting)
                    waiting = []
        yield from self._finish(waiting)

    def _load(self, pending: _Pending) -> _Pending:
        """In a thread: decode the image if it is needed, and read all but the costly sources."""
        missing = [place for place in self._batched if place not in pending.kept]
        bases = self._planes.bases
        simple = [place for place in range(len(bases)) if place not in self._batched]
        wanted = missing or self._look or any(bases[place].needs_picture for place in simple)
        picture = self._picture(pending) if wanted else None
        for place in simple:
            pending.readings[place] = self._planes.read_base(bases[place], pending.image, picture)
        for place in missing:
            pending.readings[place] = empty_reading(bases[place], self._planes.resolution, "")
            if picture is not None:
                self._prepare(place, pending, picture)
        return pending

    def _picture(self, pending: _Pending) -> Image.Image | None:
        try:
            picture = decode_image(pending.image.file)
        except ImageProblem as problem:
            pending.problem = problem.summary
            return None
        except MemoryError:
            pending.problem = "There is not enough memory for this image."
            return None
        if self._look is not None:
            self._look(pending.position, picture)
        return picture

    def _prepare(self, place: int, pending: _Pending, picture: Image.Image) -> None:
        source = self._batched[place]
        try:
            pending.inputs[place] = source.prepare(picture, self._planes.frame)
        except (AuditError, ValueError, RuntimeError, MemoryError) as error:
            reason = f"It cannot be prepared for the segmentation model ({error})."
            pending.readings[place] = empty_reading(source, self._planes.resolution, reason)

    def _finish(self, waiting: list[_Pending]) -> Iterator[PlaneReading]:
        for place, source in self._batched.items():
            self._segment(place, source, [p for p in waiting if place in p.inputs])
        for pending in waiting:
            for place, codes in pending.kept.items():
                pending.readings[place] = PlaneReading(codes)
            ordered = [pending.readings[place] for place in range(len(self._planes.bases))]
            merged = self._planes.merge(ordered)
            if pending.problem:
                problems = (pending.problem, *merged.problems)
                merged = PlaneReading(merged.codes, problems, complete=False)
            yield merged

    def _segment(self, place: int, source: BatchedPlaneSource, waiting: list[_Pending]) -> None:
        if not waiting:
            return
        self._progress.check_cancelled()
        inputs = [pending.inputs.pop(place) for pending in waiting]
        found = source.segment(inputs, self._planes.resolution)
        for pending, codes in zip(waiting, found, strict=True):
            pending.readings[place] = PlaneReading(codes[np.newaxis])
        if self._cache is not None:
            keys = [self._key(source, pending.image) for pending in waiting]
            rows = found.reshape(len(waiting), 1, -1).astype(np.float32)
            self._cache.write({k: row for k, row in zip(keys, rows, strict=True) if k})

    def _kept(self, image: PlaneImage) -> dict[int, np.ndarray]:
        """Planes of segmentation models that are kept, by place; in the calling thread."""
        found: dict[int, np.ndarray] = {}
        if self._cache is None:
            return found
        side = self._planes.resolution
        for place, source in self._batched.items():
            key = self._key(source, image)
            kept = self._cache.read([key]) if key else None
            if kept is not None and kept[0].size == side * side:
                codes = kept[0].reshape(1, side, side)
                if codes.min() >= 0 and codes.max() <= len(source.concepts):
                    found[place] = codes.astype(np.int32)
        return found

    def _key(self, source: BatchedPlaneSource, image: PlaneImage) -> bytes:
        """Of everything the planes depend on; empty if the image cannot be read."""
        try:
            content = image.sha256 or hash_file(image.file, self._progress.check_cancelled)
        except ImageProblem:
            return b""
        frame = self._planes.frame
        parts = ["planes", source.key, content, frame.resize, frame.crop, self._planes.resolution]
        return hashlib.sha256(json.dumps(parts).encode()).digest()
