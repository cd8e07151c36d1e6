"""Concept activation vectors, and how far they can be trusted (Kim et al. 2018).

A concept is given by examples; its vector is the normal of linear classifiers that tell them from
random examples. Many random sets are cheap, so there are many: the vector is the mean direction
of all, and what they disagree in is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.seeds import derive_seed
from analysis.semantics.example_sets import (
    TEST_SHARE,
    ConceptExamples,
    LinearProblems,
    check_examples,
    draw_null_problems,
    draw_problems,
)
from analysis.semantics.linear_solver import (
    REGULARISATION,
    ExampleGram,
    LinearFits,
    Loss,
    centred,
    example_gram,
    held_out_values,
    solve,
    spread_weights,
)
from analysis.semantics.max_statistic import permutation_p
from analysis.statistics.bootstrap import resample_counts

SIGNIFICANT = 0.05
_LEAST_PERMUTATIONS = 19  # fewer cannot give p ≤ 0.05


@dataclass(frozen=True)
class VectorSettings:
    """How vectors are trained and judged.

    `sets`: random sets of negatives; `set_size`: negatives in a set, as many as positives if None.
    `loss`, `regularisation`: of the classifiers (`linear_solver.solve`). `test_share`: held out in
    each set. `permutations`, `null_sets`: pseudo-concepts with permuted labels, and how many
    sets each is told from; they are compared with as many sets of the concept, since a mean over
    more would scatter less. `replicates`: bootstrap samples of images.
    """

    sets: int = 50
    set_size: int | None = None
    loss: Loss = "hinge"
    regularisation: float = REGULARISATION
    test_share: float = TEST_SHARE
    permutations: int = 200
    null_sets: int = 10
    replicates: int = 1000
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class ConceptPlan:
    """One concept's problems, the same for every layer: its own and those of permuted labels."""

    concept: ConceptExamples
    observed: LinearProblems
    null: LinearProblems


@dataclass(frozen=True)
class VectorPlan:
    """What `fit_vectors` solves in each layer. `images`: (examples,) the image of each example."""

    settings: VectorSettings
    concepts: tuple[ConceptPlan, ...]
    images: np.ndarray


@dataclass(frozen=True)
class VectorFits:
    """One concept's classifiers in one layer: w = α @ centred features, sorted as their problems.

    `observed` (sets, examples) and `null` (permutations · null sets): α, see `spread_weights`.
    The null is kept as it was solved, to be laid out when it is needed.
    """

    observed: torch.Tensor
    null_problems: LinearProblems
    null: LinearFits


@dataclass(frozen=True)
class ConceptVectors:
    """C concepts in one layer, on the CPU except for `vectors`.

    `vectors`: (C, d) unit length, the mean direction over negative sets; NaN where there is none.
    `accuracy`: (C,) share of right answers about held-out examples, both kinds weighing the same
    (chance 0.5), over all sets; `ci_low`, `ci_high`: over images. `auc`: mean over sets.
    `tested`: accuracy over the first sets, as many as pseudo-concepts have; `null_95`: what one
    pseudo-concept in twenty reaches; `p`: how often they reach `tested`; `separates`: p ≤ 0.05. A
    vector that does not separate is no concept.
    `stability`: mean cosine between the vectors of two sets. `set_accuracy`: (C, sets).
    `null_accuracy`: (permutations, C). `images`: (C,) images with positives. `converged`: (C,)
    share of classifiers that reached their minimum.
    """

    names: tuple[str, ...]
    vectors: torch.Tensor
    accuracy: torch.Tensor
    ci_low: torch.Tensor
    ci_high: torch.Tensor
    auc: torch.Tensor
    tested: torch.Tensor
    null_95: torch.Tensor
    p: torch.Tensor
    separates: torch.Tensor
    stability: torch.Tensor
    set_accuracy: torch.Tensor
    null_accuracy: torch.Tensor
    images: torch.Tensor
    converged: torch.Tensor
    fits: tuple[VectorFits, ...]


def plan_vectors(
    concepts: Sequence[ConceptExamples],
    examples: int,
    settings: VectorSettings | None = None,
    images: np.ndarray | None = None,
) -> VectorPlan:
    """Draw negatives, splits and permutations once for all layers, and for both of two models.

    :param examples: rows of the tables of features that will come.
    :param images: (examples,) the image of each row, where rows are patches; examples of one image
        are never split between training and test, and resampled together.
    :raises AuditError: no concept, a name twice, too few examples, or settings that make no sense.
    """
    settings = settings or VectorSettings()
    names = [concept.name for concept in concepts]
    if not names or len(set(names)) != len(names):
        raise AuditError("Concept vectors need concepts with names of their own.")
    if settings.sets < 2 or settings.null_sets < 1 or settings.replicates < 1:
        raise AuditError("At least two sets of negatives are needed.", "Fifty are a good start.")
    if settings.permutations < _LEAST_PERMUTATIONS:
        raise AuditError(
            f"{settings.permutations} permutations cannot show that a concept separates.",
            f"Take at least {_LEAST_PERMUTATIONS}.",
        )
    if not 0 < settings.test_share < 1:
        raise AuditError("The share of held-out examples must lie between 0 and 1.")
    groups = None if images is None else np.unique(images, return_inverse=True)[1].reshape(-1)
    if groups is not None and len(groups) != examples:
        raise AuditError(f"{len(groups)} images are named for {examples} examples.")
    if groups is not None and len(np.unique(groups)) == examples:
        groups = None
    size, share, seed = settings.set_size, settings.test_share, settings.seed
    plans = []
    for given in concepts:
        concept = check_examples(given, examples, groups)
        observed = draw_problems(concept, settings.sets, size, share, groups, seed)
        null = draw_null_problems(
            concept, settings.permutations, _null_sets(settings), size, share, groups, seed
        )
        plans.append(ConceptPlan(concept, observed, null))
    return VectorPlan(settings, tuple(plans), np.arange(examples) if groups is None else groups)


def _null_sets(settings: VectorSettings) -> int:
    return min(settings.sets, settings.null_sets)


def fit_vectors(
    features: torch.Tensor, plan: VectorPlan, progress: Progress | None = None
) -> ConceptVectors:
    """Train and judge all concepts' vectors in one layer.

    :param features: (N, d) pooled, or (N, channels, rows, columns) for spatial vectors, which are
        over flattened maps.
    :raises AuditError: not as many rows as planned, or a value that is not finite.
    """
    if len(features) != len(plan.images):
        raise AuditError(
            f"There are features of {len(features)} examples where {len(plan.images)} were planned."
        )
    gram = example_gram(features)
    judged = []
    for number, concept in enumerate(plan.concepts):
        if progress is not None:
            progress.report(number, len(plan.concepts), concept.concept.name)
        judged.append(_judge(gram, concept, plan))
    directions = torch.stack([one.direction for one in judged])
    vectors = directions @ centred(features.reshape(len(features), -1))
    length = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    vectors = torch.where(length > 0, vectors / length, torch.nan)
    set_accuracy = torch.stack([one.set_accuracy for one in judged])
    tested = set_accuracy[:, : _null_sets(plan.settings)].mean(1)
    null = torch.stack([one.null_accuracy for one in judged], 1)
    p = permutation_p(tested, null)
    low, high = torch.stack([one.interval for one in judged], 1)
    return ConceptVectors(
        names=tuple(one.concept.name for one in plan.concepts),
        vectors=vectors,
        accuracy=torch.tensor([one.accuracy for one in judged], dtype=torch.float64),
        ci_low=low,
        ci_high=high,
        auc=torch.tensor([one.auc for one in judged], dtype=torch.float64),
        tested=tested,
        null_95=torch.quantile(null, 0.95, dim=0),
        p=p,
        separates=(p <= SIGNIFICANT) & (length[:, 0] > 0).cpu(),
        stability=torch.tensor([one.stability for one in judged], dtype=torch.float64),
        set_accuracy=set_accuracy,
        null_accuracy=null,
        images=torch.tensor(
            [len(np.unique(plan.images[one.concept.positives])) for one in plan.concepts]
        ),
        converged=torch.tensor([one.converged for one in judged], dtype=torch.float64),
        fits=tuple(one.fits for one in judged),
    )


def cosines(features: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Concept attribution: the cosine of each concept's vector with each sample's features.

    :param features: (n, d) or (n, channels, rows, columns), as the vectors were trained on.
    :param vectors: (C, d).
    :returns: (C, n) float32; NaN for features that are zero throughout.
    :raises AuditError: features of another size, or values that are not finite.
    """
    rows = features.reshape(len(features), -1).float()
    if rows.shape[1] != vectors.shape[1]:
        raise AuditError(
            f"The features have {rows.shape[1]} values and the concept vectors {vectors.shape[1]}.",
            "Take both from the same layer, with the same pooling.",
        )
    # Two lengths: squares of very large features would leave the range of the format.
    largest = rows.abs().amax(1, keepdim=True)
    unit = torch.nn.functional.normalize(rows / largest, dim=1)
    return torch.nn.functional.normalize(vectors.float(), dim=1) @ unit.T


@dataclass(frozen=True)
class _Judged:
    direction: torch.Tensor  # (N,) α of the mean direction
    accuracy: float
    interval: torch.Tensor  # (2,)
    auc: float
    stability: float
    set_accuracy: torch.Tensor
    null_accuracy: torch.Tensor
    converged: float
    fits: VectorFits


def _judge(gram: ExampleGram, plan: ConceptPlan, whole: VectorPlan) -> _Judged:
    settings = whole.settings
    fits = solve(gram, plan.observed, settings.loss, settings.regularisation)
    values = held_out_values(gram, plan.observed, fits).cpu()
    null_fits = solve(gram, plan.null, settings.loss, settings.regularisation)
    null_values = held_out_values(gram, plan.null, null_fits).cpu()
    spread = spread_weights(plan.observed, fits, len(whole.images))
    squares = ((spread @ gram.values) * spread).sum(1, keepdim=True)
    unit = torch.where(squares > 0, spread / squares.clamp(min=1e-30).sqrt(), 0.0)
    total = unit.sum(0)
    sets = len(unit)
    agreement = float(total @ gram.values @ total)
    answers = _Answers(values, plan.observed)
    null = _Answers(null_values, plan.null).accuracy(len(plan.null))
    null = null.reshape(settings.permutations, -1).mean(1)
    seed = derive_seed(settings.seed, "held-out images", plan.concept.name)
    return _Judged(
        direction=total / sets,
        accuracy=float(answers.accuracy(1)[0]),
        interval=_interval(answers, plan, whole, seed),
        auc=float(answers.areas().mean()),
        stability=(agreement - sets) / (sets * (sets - 1)) if squares.gt(0).all() else torch.nan,
        set_accuracy=answers.accuracy(sets),
        null_accuracy=null,
        converged=float(fits.converged.double().mean()),
        fits=VectorFits(spread, plan.null, null_fits),
    )


class _Answers:
    """What classifiers say about their held-out examples."""

    def __init__(self, values: torch.Tensor, problems: LinearProblems) -> None:
        self.values = values
        sign = torch.tensor(problems.test_sign)
        self.kinds = (sign > 0, sign < 0)
        self.right = ((values > 0) & self.kinds[0]) | ((values <= 0) & self.kinds[1])

    def accuracy(self, blocks: int) -> torch.Tensor:
        """Balanced accuracy of each of `blocks` equal blocks of classifiers, (blocks,) float64."""
        shares = []
        for kind in self.kinds:
            asked = kind.sum(1).reshape(blocks, -1).sum(1)
            shares.append((self.right & kind).sum(1).reshape(blocks, -1).sum(1).double() / asked)
        return (shares[0] + shares[1]) / 2

    def areas(self) -> torch.Tensor:
        """The area under the ROC curve of each classifier, ties counting one half."""
        above = self.values[:, :, None] - self.values[:, None, :]
        pairs = self.kinds[0][:, :, None] & self.kinds[1][:, None, :]
        won = (above > 0).double() + 0.5 * (above == 0)
        return (won * pairs).sum((1, 2)) / pairs.sum((1, 2))


def _interval(answers: _Answers, plan: ConceptPlan, whole: VectorPlan, seed: int) -> torch.Tensor:
    """Percentile interval of the balanced accuracy, images resampled with all their answers."""
    settings = whole.settings
    images = np.unique(whole.images[plan.observed.test], return_inverse=True)[1]
    place = torch.as_tensor(images.reshape(plan.observed.test.shape))
    count = int(place.max()) + 1
    weights = resample_counts(count, settings.replicates, seed)
    tail = (1 - settings.level) / 2
    shares = []
    for kind in answers.kinds:
        sums = torch.zeros(2, count, dtype=weights.dtype)
        sums[0].index_add_(0, place[kind], answers.right[kind].to(weights.dtype))
        sums[1].index_add_(0, place[kind], torch.ones_like(place[kind], dtype=weights.dtype))
        drawn = weights @ sums.T
        shares.append(drawn[:, 0] / drawn[:, 1])
    replicates = (shares[0] + shares[1]) / 2
    low, high = torch.nanquantile(replicates, torch.tensor([tail, 1 - tail]).to(replicates))
    value = float(answers.accuracy(1)[0])
    if value in (0.0, 1.0):
        # Resampling shows no spread: the exact binomial bound, for the images of the concept.
        bound = tail ** (1 / len(np.unique(whole.images[plan.concept.positives])))
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
    return torch.tensor([float(low), float(high)], dtype=torch.float64)
