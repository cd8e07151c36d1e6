"""Which images a classifier is fitted to and on which it is tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError

TRAIN_AND_TEST = "train and test"
CROSS_VALIDATION = "cross-validation"

_TRAIN = frozenset({"train", "training", "trn"})
_TEST = frozenset({"test", "testing", "tst"})
_VALIDATION = frozenset({"val", "valid", "validation", "dev"})


@dataclass(frozen=True)
class Fold:
    """Positions of the images fitted to and of those tested, ascending."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Split:
    """How the images of one image set are divided; the same for every model.

    `labels`: (images,) position in `classes`, -1 for an image that is left out. Every image of
    `tested` is tested once. `left_out`: what is left out, and why.
    """

    kind: str  # TRAIN_AND_TEST or CROSS_VALIDATION
    classes: tuple[str, ...]
    labels: np.ndarray
    folds: tuple[Fold, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def tested(self) -> np.ndarray:
        """(tested images,) positions, ascending."""
        return np.sort(np.concatenate([fold.test for fold in self.folds]))


def make_split(
    labels: Sequence[str | None],
    splits: Sequence[str | None] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Split:
    """The split that comes with the image set, or stratified folds where there is none.

    Training images train; test images test, or validation images where no test image has a label.
    Without both, images are dealt to `folds` folds class by class, in random order, so that every
    image is tested once.

    :param labels: (images,) class of each image; None or "" where there is none.
    :param splits: (images,) train, val, test … of each image.
    :param folds: number of folds where the image set has no split of its own.
    :raises AuditError: fewer than two classes with enough images.
    """
    named = [None if label is None or not label.strip() else label.strip() for label in labels]
    roles = [(split or "").strip().lower() for split in splits or [""] * len(named)]
    if len(roles) != len(named):
        raise AuditError(f"There are {len(roles)} splits for {len(named)} images.")
    if folds < 2:
        raise AuditError("Cross-validation needs at least two folds.")
    left_out: list[tuple[str, str]] = []
    if missing := sum(label is None for label in named):
        left_out.append((_images(missing), "no class label"))
    given = _given_roles(named, roles)
    if given is None:
        return _cross_validated(named, folds, seed, left_out)
    return _as_given(named, roles, given, left_out)


def stratified_folds(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each image: every class is dealt out as evenly as it can be.

    A class goes on being dealt where the class before it ended, so that folds differ by one image.

    :param labels: (images,) class numbers; negative ones are in no fold.
    :returns: (images,) fold, -1 for images without a class.
    """
    generator = np.random.default_rng(seed)
    fold = np.full(len(labels), -1, np.int64)
    dealt = 0
    for number in np.unique(labels[labels >= 0]):
        members = generator.permutation(np.flatnonzero(labels == number))
        fold[members] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return fold


def _given_roles(
    labels: Sequence[str | None], roles: Sequence[str]
) -> tuple[frozenset[str], frozenset[str]] | None:
    present = {role for label, role in zip(labels, roles, strict=True) if label is not None}
    if not present & _TRAIN:
        return None
    for test in (_TEST, _VALIDATION):
        if present & test:
            return _TRAIN, test
    return None


def _as_given(
    labels: Sequence[str | None],
    roles: Sequence[str],
    given: tuple[frozenset[str], frozenset[str]],
    left_out: list[tuple[str, str]],
) -> Split:
    counts = [
        Counter(
            label
            for label, role in zip(labels, roles, strict=True)
            if label is not None and role in names
        )
        for names in given
    ]
    kept = sorted(set(counts[0]) & set(counts[1]))
    for first, second, purpose in ((0, 1, "test"), (1, 0, "train")):
        left_out += [
            (f"class {name}", f"no image to {purpose} with")
            for name in sorted(set(counts[first]) - set(counts[second]))
        ]
    used = given[0] | given[1]
    unused = Counter(
        role
        for label, role in zip(labels, roles, strict=True)
        if label is not None and role not in used
    )
    left_out += [
        (_images(count), f"of the split {role or 'without a name'}, which is not used")
        for role, count in sorted(unused.items())
    ]
    numbers = _numbers(
        [label if role in used else None for label, role in zip(labels, roles, strict=True)],
        kept,
    )
    _require_two(kept, "at least one image to train and one to test with")
    training = np.array([role in given[0] for role in roles])
    fold = Fold(
        np.flatnonzero((numbers >= 0) & training), np.flatnonzero((numbers >= 0) & ~training)
    )
    return Split(TRAIN_AND_TEST, tuple(kept), numbers, (fold,), tuple(left_out))


def _cross_validated(
    labels: Sequence[str | None], folds: int, seed: int, left_out: list[tuple[str, str]]
) -> Split:
    counts = Counter(label for label in labels if label is not None)
    kept = sorted(name for name, count in counts.items() if count >= folds)
    left_out += [
        (f"class {name}", f"{_images(counts[name])}, fewer than the {folds} folds")
        for name in sorted(set(counts) - set(kept))
    ]
    _require_two(kept, f"{folds} labelled images or more")
    numbers = _numbers(labels, kept)
    fold = stratified_folds(numbers, folds, seed)
    parts = tuple(
        Fold(np.flatnonzero((fold >= 0) & (fold != part)), np.flatnonzero(fold == part))
        for part in range(folds)
    )
    return Split(CROSS_VALIDATION, tuple(kept), numbers, parts, tuple(left_out))


def _numbers(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    position = {name: number for number, name in enumerate(classes)}
    return np.array([position.get(label, -1) if label else -1 for label in labels], np.int64)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _require_two(classes: Sequence[str], what: str) -> None:
    if len(classes) >= 2:
        return
    found = f"only the class {classes[0]} has" if classes else "no class has"
    raise AuditError(
        f"Telling classes apart needs two of them; {found} {what}.",
        "Use an image set with a folder for each class, or use fewer folds.",
    )
