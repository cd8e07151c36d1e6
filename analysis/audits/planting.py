"""A concept of known place: pasted into half of an image set, written as images with label planes.

As the synthetic concepts of Mikriukov et al. (2023) are made. What was pasted is a label's region
of other images, or a pattern; the images without it get a piece of another image in the same
outline, so that no network can tell the two kinds by the edge of what was pasted.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from analysis.audits import intake
from analysis.audits.dissection import chosen_images
from analysis.audits.grouping import ImageEntry, read_images
from analysis.audits.label_sources import DataLabels, label_planes, plane_images
from analysis.errors import AuditError
from analysis.images.decoding import decode_image
from analysis.images.frames import Frame
from analysis.images.loading import load_frames
from analysis.near_names import name_hint
from analysis.progress import Progress
from analysis.project import Project
from analysis.seeds import derive_seed
from analysis.semantics.pattern_names import PATTERNS

if TYPE_CHECKING:
    import torch

    from analysis.segmentation.merged import LabelPlanes
    from analysis.semantics.synthetic import ConceptPixels

WITH, WITHOUT = "with", "without"

_COLOURS = (((0.9, 0.1, 0.1), (1.0, 1.0, 1.0)), ((0.1, 0.2, 0.8), (0.9, 0.9, 0.2)))
_REGION = (0.01, 0.5)  # share of the square that a label's region must take to be cut out
_MOST_REGIONS = 100
_MOST_NAMED = 12
_FEWEST_IMAGES = 2
_LONGEST_STEM = 40  # letters of a file's name that are kept


@dataclass(frozen=True, kw_only=True)
class Planting:
    """What is planted, and into which images.

    :ivar name: of the new image set and of its label planes.
    :ivar concept: a label of the image set's label planes, or one of `PATTERNS`.
    :ivar images: at most so many, spread over the set; 0: all.
    :ivar share: of the images that get the concept.
    :ivar size: least and greatest longer side of what is pasted, as shares of the square's side.
    :ivar side: of the central square that is written, in pixels.
    """

    name: str
    concept: str
    image_set: int
    images: int = 200
    share: float = 0.5
    size: tuple[float, float] = (0.3, 0.6)
    side: int = 224
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise AuditError(
                f"A share of {self.share:g} leaves nothing to compare.",
                "Give the share of the images that get the concept, between 0 and 1.",
            )
        if not 0 < self.size[0] <= self.size[1] <= 1:
            raise AuditError("Sizes are shares of the image's side, the smaller one first.")
        if not 32 <= self.side <= 2048:
            raise AuditError("Images of 32 to 2,048 pixels a side can be written.")
        if self.images < 0:
            raise AuditError("The number of images is 0 (all) or above.")


@dataclass(frozen=True)
class Planted:
    """What came of it: ids of the new image set and label planes, how many images, and with what
    share; `shown`: images left out since they show the concept already, `unread`: since they could
    not be read."""

    image_set: int
    label_planes: int
    images: int
    with_concept: int
    shown: int
    unread: int
    folder: Path

    def sentence(self) -> str:
        """What was made, in words."""
        words = f"{self.images:,} images, {self.with_concept:,} of them with the concept"
        if self.shown:
            words += f"; {self.shown:,} left out that show it already"
        if self.unread:
            words += f"; {self.unread:,} could not be read"
        return f"{words}, in {self.folder}"


def plantable(project: Project, image_set: int) -> tuple[str, ...]:
    """Labels of an image set's label planes, by name; empty where it has none.

    :raises AuditError: label planes are there, but cannot be read.
    """
    if not _has_planes(project, image_set):
        return ()
    planes = label_planes(project, image_set, [], DataLabels("", 1), Frame(1, 1))
    names = {concept.name for concept in planes.space.concepts if concept.category != "color"}
    return tuple(sorted(names, key=str.casefold))


def plant(project: Project, planting: Planting, folder: Path, progress: Progress) -> Planted:
    """Write the images and their masks into a new folder and take both into the project.

    The folder then holds `images/with`, `images/without`, and `masks` with the truth. Nothing is
    left of it if this is cancelled or fails.

    :raises AuditError: an unknown concept, a folder that is in use, too few images, or the name is
        taken.
    """
    frame = Frame(planting.side, planting.side)
    intake.check_new_name(project, "image_set", planting.name, "image set")
    intake.check_new_name(project, "label_plane_source", planting.name, "label set")
    images = read_images(project, planting.image_set)
    _check_folder(folder)
    (concept, category), concepts, shown = _concepts(project, planting, images, frame, progress)
    hosts = chosen_images([one for one in images if one.id not in shown], planting.images)
    if len(hosts) < _FEWEST_IMAGES:
        raise AuditError(
            f"Too few images do not show “{planting.concept}” already.",
            "Choose another concept or a larger image set.",
        )
    with _new_folder(folder):
        _write_names(folder / "masks", concept, category)
        planted, bare = _write(project, planting, hosts, concepts, frame, folder, progress)
        if not planted or not bare:
            raise AuditError(
                "Too few of the images can be read.", "Relocate the image set or choose another."
            )
        image_set = intake.add_images(project, planting.name, folder / "images", progress)
        try:
            labels = intake.add_labels(project, planting.name, folder / "masks", image_set)
        except BaseException:
            project.remove_image_set(image_set)  # its images are about to go
            raise
    unread = len(hosts) - planted - bare
    return Planted(image_set, labels, planted + bare, planted, len(shown), unread, folder)


def _has_planes(project: Project, image_set: int) -> bool:
    from analysis.segmentation.broden import find_broden

    if project.value(
        "SELECT 1 FROM label_plane_source WHERE image_set IS NULL OR image_set = ?", (image_set,)
    ):
        return True
    return find_broden(project.image_set_root(image_set)) is not None


# -- what is pasted --------------------------------------------------------------------------------
def _concepts(
    project: Project,
    planting: Planting,
    images: Sequence[ImageEntry],
    frame: Frame,
    progress: Progress,
) -> tuple[tuple[str, str], list[ConceptPixels], frozenset[int]]:
    """The concept's name and category, pixels to paste, and the images that show it already."""
    from analysis.semantics.synthetic import pattern

    labels = plantable(project, planting.image_set)
    wanted = planting.concept.strip().casefold()
    known = wanted in {label.casefold() for label in labels}
    kind = next((kind for kind in PATTERNS if kind == wanted and not known), None)
    if kind is not None:
        pasted = [pattern(kind, planting.side // 2, colours) for colours in _COLOURS]
        return (kind, "texture"), pasted, frozenset()
    if not known:
        raise AuditError(
            f"There is no label and no pattern “{planting.concept}”.",
            _suggestion(planting.concept, labels),
        )
    planes = label_planes(project, planting.image_set, [], DataLabels("", planting.side), frame)
    return _regions(project, planes, wanted, images, frame, planting, progress)


def _suggestion(name: str, labels: Sequence[str]) -> str:
    """What may have been meant, and what there is."""
    some = f"Labels are {', '.join(labels[:_MOST_NAMED])}" if labels else "It has no label planes"
    more = f" and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else ""
    there = f"{some}{more}; patterns are {', '.join(PATTERNS)}."
    return name_hint(name, [*labels, *PATTERNS], there)


def _regions(
    project: Project,
    planes: LabelPlanes,
    label: str,
    images: Sequence[ImageEntry],
    frame: Frame,
    planting: Planting,
    progress: Progress,
) -> tuple[tuple[str, str], list[ConceptPixels], frozenset[int]]:
    """The label, its regions cut out of the images that show it, and all images that do."""
    import torch

    from analysis.semantics.synthetic import cut_region

    meant = {
        code: concept
        for code, concept in enumerate(planes.space.concepts, start=1)
        if concept.name.casefold() == label
    }
    found: list[ConceptPixels] = []
    shown = set()
    for place, known in enumerate(plane_images(project, images)):
        progress.report(place, len(images), f"Looking for {planting.concept}")
        region = np.isin(planes.read(known, None).codes, list(meant)).any(0)
        if not region.any():
            continue
        shown.add(images[place].id)
        if len(found) < _MOST_REGIONS and _REGION[0] <= region.mean() <= _REGION[1]:
            square = _square(known.file, frame)
            if square is not None:
                found.append(cut_region(_tensor(square), torch.from_numpy(region)))
    if not found:
        raise AuditError(
            f"No image shows “{planting.concept}” large enough to be cut out.",
            "Choose a label whose regions take at least a hundredth of an image, or a pattern.",
        )
    concept = next(iter(meant.values()))
    return (concept.name, concept.category), found, frozenset(shown)


def _square(file: Path, frame: Frame) -> np.ndarray | None:
    """The central square, uint8 (side, side, 3); None if the image cannot be read."""
    try:
        return frame.apply(decode_image(file))
    except AuditError:
        return None


# -- the folder ------------------------------------------------------------------------------------
def _check_folder(folder: Path) -> None:
    """:raises AuditError: something is there already."""
    try:
        used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except (OSError, ValueError) as error:
        raise _cannot_write(folder, error) from error
    if used:
        raise AuditError(
            f"“{folder.name}” is in use already.", "Choose a new folder, or an empty one."
        )


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """A folder of our own, which is taken away again if anything goes wrong."""
    _check_folder(folder)
    try:
        for part in ("images", "masks"):
            for kind in (WITH, WITHOUT):
                (folder / part / kind).mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _cannot_write(folder, error) from error
        raise


def _cannot_write(folder: Path, error: Exception) -> AuditError:
    reason = getattr(error, "strerror", None) or str(error)
    return AuditError(f"“{folder}” cannot be written: {reason}.", "Choose another folder.")


def _write_names(masks: Path, concept: str, category: str) -> None:
    with (masks / "names.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("index", "name", "category"), (1, concept, category)])


def _write(
    project: Project,
    planting: Planting,
    hosts: Sequence[ImageEntry],
    concepts: Sequence[ConceptPixels],
    frame: Frame,
    folder: Path,
    progress: Progress,
) -> tuple[int, int]:
    """Write images and masks one by one; how many with the concept and how many without."""
    random = np.random.default_rng(derive_seed(planting.seed, "images with the concept"))
    chosen = frozenset(random.permutation(len(hosts))[: round(planting.share * len(hosts))])
    files = [image.file for image in plane_images(project, hosts)]
    counts = {WITH: 0, WITHOUT: 0}
    # Whose piece goes into an image without the concept: the one before it, of the first the last.
    donor = next(
        (found for found in (_square(f, frame) for f in reversed(files)) if found is not None), None
    )
    for loaded in load_frames(files, frame.apply, progress):
        if loaded.problem is not None or donor is None:
            continue
        progress.report(loaded.index, len(hosts), "Writing images")
        kind = WITH if loaded.index in chosen else WITHOUT
        pixels, mask = _pasted(loaded.pixels, donor, concepts, planting, loaded.index, kind == WITH)
        name = f"{loaded.index:05d} {_plain_stem(hosts[loaded.index].path)}".strip() + ".png"
        Image.fromarray(pixels).save(folder / "images" / kind / name)
        Image.fromarray(mask.astype(np.uint8)).save(folder / "masks" / kind / name)
        counts[kind] += 1
        donor = loaded.pixels
    return counts[WITH], counts[WITHOUT]


def _pasted(
    square: np.ndarray,
    donor: np.ndarray,
    concepts: Sequence[ConceptPixels],
    planting: Planting,
    number: int,
    with_concept: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """An image uint8 (side, side, 3) with something pasted, and where it shows the concept."""
    from analysis.semantics.synthetic import paste

    seed = derive_seed(planting.seed, "pasted", number)
    if not with_concept:
        concepts = [_same_outline(concepts, donor, seed)]
    made = paste(_tensor(square)[None], concepts, size=planting.size, seed=seed)
    pixels = (made.images[0] * 255).round().byte().permute(1, 2, 0).numpy()
    truth = made.masks[0].numpy()
    return pixels, truth if with_concept else np.zeros_like(truth)


def _same_outline(concepts: Sequence[ConceptPixels], donor: np.ndarray, seed: int) -> ConceptPixels:
    """A piece of another image, in the outline of one of the concept's regions."""
    from analysis.semantics.synthetic import ConceptPixels

    random = np.random.default_rng(derive_seed(seed, "piece of another image"))
    mask = concepts[int(random.integers(len(concepts)))].mask
    (rows, columns), (height, width) = mask.shape, donor.shape[:2]
    top = int(random.integers(height - rows + 1))
    left = int(random.integers(width - columns + 1))
    return ConceptPixels(_tensor(donor[top : top + rows, left : left + columns]), mask)


def _tensor(square: np.ndarray) -> torch.Tensor:
    """(3, rows, columns) of 0…1."""
    import torch

    return torch.from_numpy(square.copy()).permute(2, 0, 1).float() / 255


def _plain_stem(path: str) -> str:
    """Letters, digits and the like of a file's name: it must do on any system."""
    kept = "".join(c for c in PurePosixPath(path).stem if c.isalnum() or c in " -_")
    return kept.strip()[:_LONGEST_STEM].strip()
