"""Label planes: which concept each cell of an image shows, by sources that share one shape.

A plane is a square grid of codes over the common frame of an image (`Frame`); 0 is no concept,
code k is the concept `concepts[k − 1]`. An image may have several planes that overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from analysis.images.frames import Frame

MAX_PLANES = 32
"""More planes of one category for one image than this are refused as damaged."""

UNLABELLED_NAMES = frozenset({
    "", "-", "background", "ignore", "ignored", "none", "unknown", "unlabeled", "unlabelled",
    "void",
})  # fmt: skip
"""Names (in lower case) by which tables of labels mean that a pixel has none."""

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class LabelConcept:
    """A concept that planes can show; `food` the object and `food` the material are two."""

    name: str
    category: str


@dataclass(frozen=True)
class LabelSpace:
    """The numbering of concepts: code k of a plane is `concepts[k − 1]`, code 0 is none."""

    concepts: tuple[LabelConcept, ...]

    def __len__(self) -> int:
        return len(self.concepts)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(concept.name for concept in self.concepts)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The category of each concept."""
        return tuple(concept.category for concept in self.concepts)

    def code(self, name: str, category: str) -> int:
        """The code of a concept.

        :raises KeyError: if the space has no such concept.
        """
        return self._codes[LabelConcept(name, category)]

    @cached_property
    def _codes(self) -> dict[LabelConcept, int]:
        return {concept: code for code, concept in enumerate(self.concepts, start=1)}


@dataclass(frozen=True, slots=True)
class PlaneImage:
    """An image that planes are wanted for.

    :ivar path: posix, relative to the root of its image set, as in table `image`.
    :ivar file: where it lies now.
    :ivar label: its class, None where the image set names none; `split` likewise.
    :ivar width: of the upright image in pixels; `height` likewise.
    :ivar sha256: of the file; empty where it is not known (it is then read when it is needed).
    """

    path: str
    file: Path
    label: str | None
    width: int
    height: int
    split: str | None = None
    sha256: str = ""


@dataclass(frozen=True)
class PlaneReading:
    """What a source says of one image.

    :ivar codes: int32 (planes, resolution, resolution), codes of the source.
    :ivar problems: what could not be read or understood, in plain words.
    :ivar complete: False if a plane is missing or unreadable: cells that it would label look as if
        they showed nothing, so such an image had better be left out of counts.
    """

    codes: np.ndarray
    problems: tuple[str, ...] = ()
    complete: bool = True


class PlaneSource(Protocol):
    """Whatever labels the cells of images."""

    @property
    def concepts(self) -> tuple[LabelConcept, ...]:
        """Code k of this source's planes is `concepts[k − 1]`."""

    @property
    def planes_per_image(self) -> int:
        """How many planes an image has at most."""

    @property
    def key(self) -> str:
        """A name of the content that the numbering and, but for the planes' own files, the planes
        depend on."""

    @property
    def needs_picture(self) -> bool:
        """Whether `read` looks at the image itself."""

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None
    ) -> PlaneReading:
        """The planes of one image; safe to call from several threads.

        :param picture: the upright RGB image, if `needs_picture`.
        :raises AuditError: if the source has nothing to give for this image.
        """


@runtime_checkable
class BatchedPlaneSource(Protocol):
    """A costly source: it reads images in batches, and what it gives is worth keeping."""

    @property
    def concepts(self) -> tuple[LabelConcept, ...]: ...

    @property
    def planes_per_image(self) -> int: ...

    @property
    def key(self) -> str: ...

    @property
    def needs_picture(self) -> bool: ...

    @property
    def batch(self) -> int:
        """How many images to give at once."""

    def prepare(self, picture: Image.Image, frame: Frame) -> Any:
        """What `segment` wants of one image; called in threads."""

    def segment(self, inputs: Sequence[Any], resolution: int) -> np.ndarray:
        """int32 (images, resolution, resolution) codes; called in one thread."""

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None
    ) -> PlaneReading: ...


def empty_reading(source: PlaneSource, resolution: int, problem: str) -> PlaneReading:
    """The reading of an image that `source` has nothing for."""
    codes = np.zeros((source.planes_per_image, resolution, resolution), dtype=np.int32)
    return PlaneReading(codes, (problem,) if problem else (), complete=False)


def clean_name(text: str) -> str:
    """A name from somebody else's file: one line, printable, not endless."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_LONGEST_NAME]


def number_concepts(
    concepts: Iterable[LabelConcept],
) -> tuple[tuple[LabelConcept, ...], dict[LabelConcept, int]]:
    """Distinct concepts in the order of their first appearance, and the code of each."""
    codes: dict[LabelConcept, int] = {}
    for concept in concepts:
        codes.setdefault(concept, len(codes) + 1)
    return tuple(codes), codes
