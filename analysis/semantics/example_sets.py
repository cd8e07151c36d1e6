"""Which examples train and which test each of many linear classifiers, drawn from fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.seeds import derive_seed

TEST_SHARE = 1 / 3
_LEAST_IMAGES = 3  # of either kind: one is held out, and one image alone is no concept


@dataclass(frozen=True)
class ConceptExamples:
    """The examples of one concept and those it is told from, as rows of a table of features.

    `positives` and `negatives`: row numbers; `negatives` may be chosen or a pool to draw from.
    `name` is part of the seeds, so that a concept's draws do not depend on its place in a list.
    """

    name: str
    positives: np.ndarray
    negatives: np.ndarray


@dataclass(frozen=True)
class LinearProblems:
    """P problems of telling two kinds of examples apart, trained on some and tested on others.

    `train`, `test`: (P, m) row numbers; `train_sign`, `test_sign`: (P, m) +1, −1, or 0 for padding.
    """

    train: np.ndarray
    train_sign: np.ndarray
    test: np.ndarray
    test_sign: np.ndarray

    def __len__(self) -> int:
        return len(self.train)

    def part(self, start: int, stop: int) -> LinearProblems:
        """The problems from `start` up to `stop`."""
        span = slice(start, stop)
        return LinearProblems(
            self.train[span], self.train_sign[span], self.test[span], self.test_sign[span]
        )


def check_examples(
    concept: ConceptExamples, examples: int, groups: np.ndarray | None
) -> ConceptExamples:
    """The concept with rows as int64.

    :raises AuditError: rows that do not exist, twice the same, or as both kinds; too few images.
    """
    kinds = []
    for rows, kind in ((concept.positives, "examples"), (concept.negatives, "negatives")):
        found = np.asarray(rows, dtype=np.int64).reshape(-1)
        if len(found) and (found.min() < 0 or found.max() >= examples):
            raise AuditError(f"“{concept.name}” names {kind} beyond the {examples} there are.")
        if len(np.unique(found)) != len(found):
            raise AuditError(f"“{concept.name}” has the same {kind} twice.", "List each one once.")
        images = len(found) if groups is None else len(np.unique(groups[found]))
        if images < _LEAST_IMAGES:
            raise AuditError(
                f"“{concept.name}” needs {kind} from more images: there are {images}.",
                f"Give them from at least {_LEAST_IMAGES} images; thirty or more are better.",
            )
        kinds.append(found)
    if len(np.intersect1d(kinds[0], kinds[1])):
        raise AuditError(
            f"“{concept.name}” has examples that are also its negatives.",
            "Take the concept's own examples out of the negatives.",
        )
    return ConceptExamples(concept.name, *kinds)


def draw_problems(
    concept: ConceptExamples,
    sets: int,
    set_size: int | None = None,
    test_share: float = TEST_SHARE,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> LinearProblems:
    """`sets` problems: the concept against a random set of its negatives, each with its own split.

    A set has `set_size` negatives, as many as there are positives if not given, and at most all.
    Splits are stratified, and whole images (`groups`) fall on one side of them.

    :param groups: (examples,) the image of each row; each row an image of its own if not given.
    """
    generator = np.random.default_rng(derive_seed(seed, "negative sets", concept.name))
    positives, negatives = concept.positives, concept.negatives
    if groups is None:
        size = _set_size(concept, set_size)
        return _ungrouped(positives[None], negatives[None], sets, size, test_share, generator)
    rows = np.concatenate([positives, negatives])
    sign = np.repeat([True, False], [len(positives), len(negatives)])
    size = _set_size(concept, set_size)
    labels = [sign] * sets
    return _grouped(rows, labels, groups[rows], size, test_share, generator)


def draw_null_problems(
    concept: ConceptExamples,
    permutations: int,
    sets: int,
    set_size: int | None = None,
    test_share: float = TEST_SHARE,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> LinearProblems:
    """The same with the labels permuted: `permutations` · `sets` problems, set by set.

    Each permutation makes a pseudo-concept of as many examples, drawn from positives and negatives
    together, and tells it from `sets` random sets of the rest, as the concept is told from its
    own: sets of one pseudo-concept share members just as sets of the concept do. With `groups`,
    images that show but one kind exchange their labels whole, and an image that has both kinds
    exchanges them within.
    """
    generator = np.random.default_rng(derive_seed(seed, "permuted labels", concept.name))
    rows = np.concatenate([concept.positives, concept.negatives])
    count, size = len(concept.positives), _set_size(concept, set_size)
    if groups is None:
        keys = generator.random((permutations, len(rows)), dtype=np.float32)
        order = rows[keys.argsort(1)]
        return _ungrouped(order[:, :count], order[:, count:], sets, size, test_share, generator)
    sign = np.repeat([True, False], [count, len(rows) - count])
    images = np.unique(groups[rows], return_inverse=True)[1]
    labels = []
    for _ in range(permutations):
        labels.extend([_permuted(sign, images, generator)] * sets)
    return _grouped(rows, labels, groups[rows], size, test_share, generator)


def _set_size(concept: ConceptExamples, set_size: int | None) -> int:
    wanted = len(concept.positives) if set_size is None else set_size
    if wanted < _LEAST_IMAGES:
        raise AuditError(f"A set of negatives needs at least {_LEAST_IMAGES} examples.")
    return min(wanted, len(concept.negatives))


def _ungrouped(
    positives: np.ndarray,
    negatives: np.ndarray,
    sets: int,
    size: int,
    test_share: float,
    generator: np.random.Generator,
) -> LinearProblems:
    """`sets` problems for each row of positives (Q, n) and negatives (Q, pool)."""
    parts = []
    for pool, taken in ((positives, positives.shape[1]), (negatives, size)):
        held = held_out_count(taken, test_share)
        keys = generator.random((len(pool), sets, pool.shape[1]), dtype=np.float32)
        # The smallest keys are a random set, and the smallest of those a random part of it.
        cuts = sorted({held, taken - 1})
        order = np.argpartition(keys, cuts, axis=2)[:, :, :taken]
        chosen = pool[np.arange(len(pool))[:, None, None], order].reshape(-1, taken)
        parts.append((chosen[:, held:], chosen[:, :held]))
    (train_a, test_a), (train_b, test_b) = parts
    return LinearProblems(
        np.concatenate([train_a, train_b], 1),
        _signs(len(train_a), train_a.shape[1], train_b.shape[1]),
        np.concatenate([test_a, test_b], 1),
        _signs(len(test_a), test_a.shape[1], test_b.shape[1]),
    )


def held_out_count(images: int, test_share: float) -> int:
    """How many of so many images are held out: the share, at least 1, and never all but one."""
    return int(min(max(1, round(images * test_share)), images - 2))


def _signs(problems: int, positives: int, negatives: int) -> np.ndarray:
    row = np.repeat(np.array([1, -1], dtype=np.float32), [positives, negatives])
    return np.broadcast_to(row, (problems, len(row)))


def _permuted(sign: np.ndarray, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    count = images.max() + 1
    has = np.stack([np.bincount(images, sign == kind, count) > 0 for kind in (True, False)])
    pure = np.flatnonzero(has[0] ^ has[1])
    kind = np.zeros(count, dtype=bool)
    kind[pure] = generator.permutation(has[0][pure])
    result = kind[images]
    for image in np.flatnonzero(has.all(0)):
        members = images == image
        result[members] = generator.permutation(sign[members])
    return result


def _grouped(
    rows: np.ndarray,
    labels: Sequence[np.ndarray],
    groups: np.ndarray,
    size: int,
    test_share: float,
    generator: np.random.Generator,
) -> LinearProblems:
    images = np.unique(groups, return_inverse=True)[1]
    count = int(images.max()) + 1
    train, test = [], []
    for sign in labels:
        negatives = np.flatnonzero(~sign)
        drawn = generator.permutation(negatives)[:size]
        used = np.concatenate([np.flatnonzero(sign), drawn])
        key = generator.random(count)
        positive_images = np.unique(images[sign])
        held = _smallest(positive_images, key, test_share)
        others = np.setdiff1d(images[drawn], positive_images)
        if len(others) >= _LEAST_IMAGES:
            held = np.concatenate([held, _smallest(others, key, test_share)])
        testing = np.isin(images[used], held)
        signed = np.where(sign[used], np.float32(1), np.float32(-1))
        train.append((rows[used[~testing]], signed[~testing]))
        test.append((rows[used[testing]], signed[testing]))
    return LinearProblems(*_padded(train), *_padded(test))


def _smallest(images: np.ndarray, key: np.ndarray, test_share: float) -> np.ndarray:
    return images[key[images].argsort()[: held_out_count(len(images), test_share)]]


def _padded(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    width = max(len(rows) for rows, _ in parts)
    rows = np.zeros((len(parts), width), dtype=np.int64)
    signs = np.zeros((len(parts), width), dtype=np.float32)
    for place, (members, sign) in enumerate(parts):
        rows[place, : len(members)] = members
        signs[place, : len(members)] = sign
    return rows, signs
