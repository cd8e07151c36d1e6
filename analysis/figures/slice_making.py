"""How images are chosen for a slice: by class, by what models answer, by their names."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from analysis.figures.agreement import PredictionChoice, agreement, prediction_choices
from analysis.figures.words import shorten

if TYPE_CHECKING:
    from analysis.project import Project

_LONGEST_ORIGIN = 400
_NO_LABEL = "without a label"


@dataclass(frozen=True)
class OfClasses:
    """Images with one of these labels; an empty one stands for those without a label.

    :param image_set: of this image set alone; None for all.
    """

    labels: tuple[str, ...]
    image_set: int | None = None


@dataclass(frozen=True)
class OfAgreement:
    """Images that two models answer in a way: `part` is one of `agreement.PARTS`."""

    run: int
    task: str
    model_a: str
    model_b: str
    part: str


@dataclass(frozen=True)
class OfNames:
    """Images whose path matches a pattern with * and ?, upper and lower case alike.

    A pattern without either is looked for anywhere in the path.
    """

    pattern: str
    image_set: int | None = None


@dataclass(frozen=True)
class OfImages:
    """Images that are named one by one, and in words what they are."""

    images: frozenset[int]
    words: str


Recipe = OfClasses | OfAgreement | OfNames | OfImages


@dataclass(frozen=True)
class ChosenImages:
    """The images that a recipe gives, and in words how they were chosen."""

    images: frozenset[int]
    origin: str


@dataclass(frozen=True)
class SliceSources:
    """What slices can be made by. `labels`: image set (its id), label, images."""

    labels: tuple[tuple[int, str, int], ...]
    predictions: tuple[PredictionChoice, ...]


def slice_sources(project: Project) -> SliceSources:
    """The labels of all image sets and the predictions that runs keep."""
    rows = project.rows(
        "SELECT image_set, coalesce(label, '') AS name, count(*) FROM image"
        " GROUP BY image_set, name ORDER BY image_set, name"
    )
    return SliceSources(
        tuple((row[0], row[1], row[2]) for row in rows), prediction_choices(project)
    )


def chosen_images(project: Project, recipe: Recipe) -> ChosenImages:
    """The images of the project that a recipe gives, maybe none.

    Raises AuditError where the predictions of a run are missing or damaged.
    """
    if isinstance(recipe, OfImages):
        known = {row[0] for row in project.rows("SELECT id FROM image")}
        return ChosenImages(recipe.images & known, _short(recipe.words))
    if isinstance(recipe, OfAgreement):
        found = agreement(project, recipe.run, recipe.task, recipe.model_a, recipe.model_b)
        words = f"{recipe.part}: A {recipe.model_a}, B {recipe.model_b}, {recipe.task}"
        return ChosenImages(found.part(recipe.part), _short(f"{words}, run {recipe.run}"))
    rows = project.rows(
        "SELECT id, coalesce(label, '') AS label, path FROM image WHERE ? IS NULL OR image_set = ?",
        (recipe.image_set, recipe.image_set),
    )
    if isinstance(recipe, OfClasses):
        wanted = set(recipe.labels)
        images = frozenset(row["id"] for row in rows if row["label"] in wanted)
        names = ", ".join(label or _NO_LABEL for label in recipe.labels)
        return ChosenImages(images, _short(f"class {names}" if names else ""))
    pattern = recipe.pattern.strip()
    if not pattern:
        return ChosenImages(frozenset(), "")
    matching = _pattern(pattern)
    images = frozenset(row["id"] for row in rows if fnmatchcase(row["path"].casefold(), matching))
    return ChosenImages(images, _short(f"file names like {pattern}"))


def _pattern(text: str) -> str:
    """For `fnmatchcase`: * and ? as they are, everything else literal, found anywhere."""
    literal = text.casefold().replace("[", "[[]")
    return literal if "*" in text or "?" in text else f"*{literal}*"


def _short(text: str) -> str:
    return shorten(text, _LONGEST_ORIGIN)
