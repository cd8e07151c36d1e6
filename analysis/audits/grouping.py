"""Which images stand for which class: by label, or by what the models predict."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.name_lists import join_names
from analysis.near_names import name_hint
from analysis.seeds import derive_seed

if TYPE_CHECKING:
    from analysis.project import Project


@dataclass(frozen=True)
class ImageEntry:
    """One image of a set, as the project file lists it."""

    id: int
    path: str
    label: str | None
    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class ClassImages:
    """A class's shared images, and which of them each model's concepts are drawn from.

    Label grouping draws both models' concepts from all of them; prediction grouping draws each
    model's from the images that model predicts to be of the class (paper, Sec. 3.1).
    """

    name: str
    images: tuple[ImageEntry, ...]
    drawn_from_a: frozenset[int]
    drawn_from_b: frozenset[int]

    def drawn_from(self, side: str) -> frozenset[int]:
        return self.drawn_from_a if side == "a" else self.drawn_from_b


@dataclass(frozen=True)
class Grouping:
    """The classes of a run and, by class, why others are left out."""

    classes: tuple[ClassImages, ...]
    problems: tuple[tuple[str, str], ...]


def read_images(project: Project, image_set: int | None) -> tuple[ImageEntry, ...]:
    """The images of a set in path order."""
    rows = project.rows(
        "SELECT id, path, label, sha256, width, height FROM image WHERE image_set = ?"
        " ORDER BY path",
        (image_set,),
    )
    return tuple(ImageEntry(*tuple(row)) for row in rows)


def image_set_named(project: Project, name: str | None) -> int:
    """The id of the image set of that name, or of the first one.

    :raises AuditError: there is no such image set.
    """
    rows = project.rows("SELECT id, name FROM image_set ORDER BY id")
    for row in rows:
        if name is None or row["name"] == name:
            return row["id"]
    if name is None:
        raise AuditError("The project has no images.", "Add them: parallax add FILE --images …")
    names = [row["name"] for row in rows]
    hint = name_hint(name, names, f"Its image sets are {', '.join(names)}.")
    raise AuditError(f"The project has no image set “{name}”.", hint)


def group_by_label(
    images: Iterable[ImageEntry], *, limit: int, minimum: int, seed: int, only: Sequence[str] = ()
) -> Grouping:
    """Group by label; images without a label form the one class “all images”.

    :param limit: images a class at most, drawn by a seed of the class's own.
    :param minimum: classes with fewer images are left out and reported.
    :raises AuditError: no class is left, or a class asked for does not exist.
    """
    by_class: dict[str, list[ImageEntry]] = {}
    for image in images:
        by_class.setdefault(image.label or "all images", []).append(image)
    _check_names(only, by_class)
    classes, problems = [], []
    for name in sorted(only or by_class):
        members = _draw(by_class[name], limit, seed, name)
        if len(members) < minimum:
            problems.append((name, f"Only {len(members)} images; {minimum} are needed."))
            continue
        everyone = frozenset(image.id for image in members)
        classes.append(ClassImages(name, members, everyone, everyone))
    return _checked(classes, problems, minimum)


def group_by_prediction(
    images: Sequence[ImageEntry],
    predicted_a: Mapping[int, str],
    predicted_b: Mapping[int, str],
    *,
    limit: int,
    minimum: int,
    seed: int,
    only: Sequence[str] = (),
) -> Grouping:
    """Group by the union of what the two models predict (paper, Sec. 3.1.1).

    Classes that only one model predicts are kept for the union, but a model needs `minimum`
    images of its own for its concepts to be found.

    :param predicted_a: class name by image id, from model A; likewise `predicted_b`.
    """
    by_class: dict[str, list[ImageEntry]] = {}
    for image in images:
        for name in sorted({predicted_a.get(image.id, ""), predicted_b.get(image.id, "")} - {""}):
            by_class.setdefault(name, []).append(image)
    _check_names(only, by_class)
    classes, problems = [], []
    for name in sorted(only or by_class):
        union = _draw(by_class[name], limit, seed, name)
        own_a = frozenset(image.id for image in union if predicted_a.get(image.id) == name)
        own_b = frozenset(image.id for image in union if predicted_b.get(image.id) == name)
        if min(len(own_a), len(own_b)) < minimum:
            problems.append(
                (
                    name,
                    f"Predicted for {len(own_a)} images by one model and {len(own_b)} by the other;"
                    f" {minimum} each are needed.",
                )
            )
            continue
        classes.append(ClassImages(name, union, own_a, own_b))
    return _checked(classes, problems, minimum)


def _draw(
    members: Sequence[ImageEntry], limit: int, seed: int, name: str
) -> tuple[ImageEntry, ...]:
    """The first `limit` of a seeded order, so that a smaller limit is a prefix of a larger one."""
    order = sorted(members, key=lambda image: image.path)
    random.Random(derive_seed(seed, "images", name)).shuffle(order)
    return tuple(order[:limit])


def _check_names(only: Sequence[str], known: Mapping[str, object]) -> None:
    unknown = [name for name in only if name not in known]
    if unknown:
        raise AuditError(
            f"No image is of the class {', '.join(unknown)}.",
            name_hint(unknown[0], known, f"The classes are {join_names(sorted(known)[:20])}."),
        )


def _checked(classes: list[ClassImages], problems: list[tuple[str, str]], minimum: int) -> Grouping:
    if not classes:
        raise AuditError(
            f"No class has the {minimum} images that are needed.",
            "Add images, choose another grouping, or lower the minimum.",
        )
    return Grouping(tuple(classes), tuple(problems))
