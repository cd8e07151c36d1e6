"""The examples of concepts as pictures: whole pictures, regions of labels, and chosen patches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from analysis.audits.context import RunContext
from analysis.audits.grouping import ImageEntry
from analysis.audits.pictures import PICTURE_SUFFIXES
from analysis.audits.semantics_labels import LabelRegions, read_regions
from analysis.errors import AuditError
from analysis.images.decoding import decode_image
from analysis.images.frames import Frame
from analysis.images.ordered import ordered_map
from analysis.name_lists import split_names
from analysis.seeds import derive_seed
from analysis.semantics.example_sets import ConceptExamples

if TYPE_CHECKING:
    from analysis.audits.semantics import SemanticsParameters

Box = tuple[int, int, int, int]

_WORKERS = 2
_LEAST = 6  # examples, of as many images


@dataclass(frozen=True)
class Crop:
    """What one example is cut from: `box` in pixels of the upright original, None for the frame.

    `image`: id in the project; below zero for the pictures of a folder.
    """

    image: int
    path: Path
    box: Box | None = None


@dataclass
class _Concept:
    name: str
    positives: list[Crop] = field(default_factory=list)
    negatives: list[Crop] = field(default_factory=list)


@dataclass(frozen=True)
class ExampleTable:
    """All examples of all concepts, each cut once.

    `frames`: (N, side, side, 3) uint8; `entries`: (N,) as images of their own, by content;
    `images`: (N,) which examples come from the same image; `concepts`: rows by concept.
    """

    frames: np.ndarray
    entries: tuple[ImageEntry, ...]
    images: np.ndarray
    concepts: tuple[ConceptExamples, ...]
    problems: tuple[tuple[str, str], ...]


def example_table(context: RunContext, images: Sequence[ImageEntry]) -> ExampleTable:
    """The examples of a run, made once.

    :param images: of the run; random negatives are drawn from them.
    :raises AuditError: not one concept has enough examples.
    """
    return context.keep("examples", lambda: _Examples(context, images).table())


class _Examples:
    """Gathers crops by concept, then cuts them."""

    def __init__(self, context: RunContext, images: Sequence[ImageEntry]) -> None:
        self._context, self._images = context, images
        self._parameters: SemanticsParameters = context.parameters
        self._paths = {
            image.id: path
            for image in images
            if (path := context.project.resolve_image(image.id)) is not None
        }
        self._frame = Frame(self._parameters.resize, self._parameters.frame)
        self._problems: list[tuple[str, str]] = []

    def table(self) -> ExampleTable:
        concepts = [one for one in self._concepts() if self._enough(one)]
        if not concepts:
            first = self._problems[0] if self._problems else None
            raise AuditError(
                "No concept has enough examples.",
                f"{first[0]}: {first[1]}" if first else "Give concepts by examples.",
            )
        crops = list(dict.fromkeys(c for one in concepts for c in one.positives + one.negatives))
        frames, kept = self._cut(crops)
        row = {crop: place for place, crop in enumerate(kept)}
        found = []
        for one in concepts:
            rows = [
                np.array([row[crop] for crop in part if crop in row], dtype=np.int64)
                for part in (one.positives, one.negatives)
            ]
            if min(map(len, rows)) < _LEAST:
                self._problems.append((one.name, "Too few of its examples can be read."))
                continue
            found.append(ConceptExamples(one.name, *rows))
        if not found:
            raise AuditError("No concept has enough examples.", "Check that the images are there.")
        return ExampleTable(
            frames,
            tuple(_entry(crop, pixels) for crop, pixels in zip(kept, frames, strict=True)),
            np.array([crop.image for crop in kept], dtype=np.int64),
            tuple(found),
            tuple(self._problems),
        )

    def _enough(self, concept: _Concept) -> bool:
        for kind, crops in (("", concept.positives), ("other ", concept.negatives)):
            count = len({crop.image for crop in crops})
            if count < _LEAST:
                reason = f"Only {count} {kind}images; {_LEAST} are needed."
                self._problems.append((concept.name, reason))
                return False
        return True

    def _concepts(self) -> list[_Concept]:
        given = {
            row["name"]: row
            for row in self._context.project.rows("SELECT * FROM concept_set ORDER BY id")
        }
        names = split_names(self._parameters.concepts) or tuple(given)
        found = []
        wanted_labels: list[tuple[str, str, str | None]] = []
        for name in names:
            row = given.get(name)
            if row is None:
                wanted_labels.append((name, name, None))
            elif row["kind"] == "labels":
                wanted_labels.append((name, row["label"], row["category"]))
            elif row["kind"] == "folder":
                found.append(self._of_folder(name, row["id"]))
            else:
                found.append(self._of_patches(name, row["id"]))
        if wanted_labels or not names:
            regions = read_regions(self._context, self._images)
            wanted_labels = wanted_labels or regions.commonest(self._parameters.most_concepts)
            found += [self._of_label(regions, *one) for one in wanted_labels]
        return found

    def _of_folder(self, name: str, number: int) -> _Concept:
        folder = self._context.project.concept_folder(number)
        files = sorted(
            path for path in folder.rglob("*")
            if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
        ) if folder.is_dir() else []  # fmt: skip
        if not files:
            self._problems.append((name, "Its folder of pictures is not there or is empty."))
        drawn = self._drawn(name, files, self._parameters.examples)
        positives = [Crop(-1 - place, path) for place, path in enumerate(drawn)]
        return _Concept(name, positives, self._chosen_negatives(number) or self._whole(name))

    def _of_patches(self, name: str, number: int) -> _Concept:
        positives = self._examples(number, "positive")
        positives = self._drawn(name, positives, self._parameters.examples)
        shown = {crop.image for crop in positives}
        others = [image for image in self._images if image.id not in shown]
        sizes = [crop.box[2:] for crop in positives if crop.box]
        negatives = self._chosen_negatives(number) or self._random(name, others, sizes)
        return _Concept(name, positives, negatives)

    def _of_label(
        self, regions: LabelRegions, name: str, label: str, category: str | None
    ) -> _Concept:
        boxes, without = regions.of(label, category)
        positives = [
            Crop(image.id, self._paths[image.id], box)
            for image, box in boxes
            if image.id in self._paths
        ]
        if not positives:
            self._problems.append((name, "No concept and no label has this name."))
        positives = self._drawn(name, positives, self._parameters.examples)
        sizes = [crop.box[2:] for crop in positives if crop.box]
        return _Concept(name, positives, self._random(name, without, sizes))

    def _examples(self, number: int, role: str) -> list[Crop]:
        rows = self._context.project.rows(
            "SELECT image, x, y, width, height FROM concept_example"
            " WHERE concept_set = ? AND role = ? ORDER BY id",
            (number, role),
        )
        found = []
        for row in rows:
            path = self._context.project.resolve_image(row["image"])
            if path is not None:
                box = (row["x"], row["y"], row["width"], row["height"])
                found.append(Crop(row["image"], path, box))
        return found

    def _chosen_negatives(self, number: int) -> list[Crop]:
        return self._examples(number, "negative")

    def _whole(self, name: str) -> list[Crop]:
        known = [image for image in self._images if image.id in self._paths]
        drawn = self._drawn(f"{name} negatives", known, self._parameters.negatives)
        return [Crop(image.id, self._paths[image.id]) for image in drawn]

    def _random(
        self, name: str, images: Sequence[ImageEntry], sizes: Sequence[tuple[int, ...]]
    ) -> list[Crop]:
        """Boxes of the positives' sizes at random places of other images."""
        known = [image for image in images if image.id in self._paths]
        if not known or not sizes:
            return []
        seed = derive_seed(self._parameters.seed, "negatives", name)
        generator = np.random.default_rng(seed)
        found = []
        order = generator.permutation(len(known))
        for count in range(self._parameters.negatives):
            image = known[order[count % len(known)]]
            width, height = sizes[int(generator.integers(len(sizes)))]
            width, height = min(width, image.width), min(height, image.height)
            x = int(generator.integers(image.width - width + 1))
            y = int(generator.integers(image.height - height + 1))
            found.append(Crop(image.id, self._paths[image.id], (x, y, width, height)))
        return list(dict.fromkeys(found))

    def _drawn(self, name: str, things: Sequence, most: int) -> list:  # type: ignore[type-arg]
        if len(things) <= most:
            return list(things)
        generator = np.random.default_rng(derive_seed(self._parameters.seed, "examples", name))
        return [things[place] for place in np.sort(generator.permutation(len(things))[:most])]

    def _cut(self, crops: Sequence[Crop]) -> tuple[np.ndarray, list[Crop]]:
        by_file: dict[Path, list[Crop]] = {}
        for crop in crops:
            by_file.setdefault(crop.path, []).append(crop)
        side = self._frame.crop
        found: dict[Crop, np.ndarray] = {}

        def cut(item: tuple[Path, list[Crop]]) -> list[tuple[Crop, np.ndarray]] | str:
            try:
                picture = decode_image(item[0])
            except AuditError as problem:
                return problem.summary
            return [(crop, _pixels(picture, crop, self._frame, side)) for crop in item[1]]

        progress = self._context.progress
        for file, done in zip(
            by_file, ordered_map(cut, by_file.items(), progress, _WORKERS), strict=True
        ):
            if isinstance(done, str):
                self._problems.append((file.name, done))
            else:
                found.update(done)
        kept = [crop for crop in crops if crop in found]
        if not kept:
            raise AuditError(
                "None of the examples can be read.", "Check that the images are in their place."
            )
        return np.stack([found[crop] for crop in kept]), kept


def _pixels(picture: Image.Image, crop: Crop, frame: Frame, side: int) -> np.ndarray:
    if crop.box is None:
        return frame.apply(picture)
    x, y, width, height = crop.box
    part = picture.convert("RGB").crop((x, y, x + width, y + height))
    return np.asarray(part.resize((side, side), Image.Resampling.BILINEAR))


def _entry(crop: Crop, pixels: np.ndarray) -> ImageEntry:
    """An example as an image of its own; what is computed for it is kept by its pixels."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    side = len(pixels)
    return ImageEntry(crop.image, crop.path.name, None, digest, side, side)
