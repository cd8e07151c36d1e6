"""Principal components of the matrix of learned concepts, and how large they are by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.embedding.matrix import ConceptMatrix
from analysis.errors import AuditError

COMPONENTS = 3  # the paper's embedding has three
_BLOCK_VALUES = 1 << 23  # permuted matrix entries held at once


@dataclass(frozen=True)
class Components:
    """A centred principal component analysis (paper, section 4).

    Fewer components than asked are kept where the fitted models do not span more; at least one,
    of zeros if all models are alike.
    """

    points: np.ndarray  # (models, k) fitted and projected models
    loadings: np.ndarray  # (k, concepts) of unit length
    mean: np.ndarray  # (concepts,) of the fitted models
    explained_variance: np.ndarray  # (k,) shares of the fitted models' variance; NaN without any


def fit_components(
    matrix: ConceptMatrix, fitted: np.ndarray | None = None, components: int = COMPONENTS
) -> Components:
    """Fit components to the chosen models and project all models.

    The sign of a component is such that its largest loading is positive: further along the axis
    means more units of its main concept.

    :param fitted: (models,) which models the components are fitted on; all if None.
    :param components: how many are wanted, at most.
    :raises AuditError: fewer than two fitted models.
    """
    values = matrix.values
    mean, centred = _centred(values, fitted)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    kept = max(1, min(components, _rank(singular, values)))
    loadings = directions[:kept]
    if not _rank(singular, values):
        loadings = np.zeros_like(loadings)
    largest = np.abs(loadings).argmax(1)
    loadings = loadings * np.where(loadings[np.arange(kept), largest] < 0, -1.0, 1.0)[:, None]
    total = (singular**2).sum()
    share = singular[:kept] ** 2 / total if loadings.any() else np.full(kept, np.nan)
    return Components((values - mean) @ loadings.T, loadings, mean, share)


def project(components: Components, values: np.ndarray) -> np.ndarray:
    """Where further models lie: (…, models, k) from their rows of values (…, models, concepts).

    Rows come from `profile_values`, or another matrix with the same concepts.
    """
    return (np.atleast_2d(values) - components.mean) @ components.loadings.T


def parallel_analysis(
    matrix: ConceptMatrix,
    fitted: np.ndarray | None = None,
    components: int = COMPONENTS,
    permutations: int = 1000,
    seed: int = 0,
    quantile: float = 0.95,
) -> np.ndarray:
    """Shares of variance that components reach by chance (Horn 1965; Buja and Eyuboglu 1992).

    Every concept's values are permuted among the fitted models, independently of the others: each
    concept keeps its variance, and no two concepts belong together any more. The share of the
    variance of each component of such a matrix is compared with that of the real component of the
    same number.

    :returns: (components,) the quantile over the permutations; NaN where there is no variance or no
        such component.
    :raises AuditError: fewer than two fitted models, or no permutation.
    """
    if permutations < 1:
        raise AuditError("Parallel analysis needs at least one permutation.")
    _, centred = _centred(matrix.values, fitted)
    varying = centred[:, np.ptp(centred, axis=0) > 0]
    models = len(varying)
    result = np.full(components, np.nan)
    if not varying.shape[1]:
        return result
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK_VALUES // varying.size)
    shares = []
    for start in range(0, permutations, block):
        copies = min(block, permutations - start)
        permuted = generator.permuted(np.tile(varying, (copies, 1, 1)), axis=1)
        eigenvalues = np.linalg.eigvalsh(permuted @ permuted.transpose(0, 2, 1))[:, ::-1]
        shares.append(eigenvalues / eigenvalues.sum(1, keepdims=True))
    # Centred rows of n models span n − 1 directions.
    kept = min(components, models - 1, varying.shape[1])
    result[:kept] = np.quantile(np.concatenate(shares), quantile, axis=0)[:kept]
    return result


def _centred(values: np.ndarray, fitted: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    chosen = values if fitted is None else values[np.asarray(fitted, dtype=bool)]
    if len(chosen) < 2:
        raise AuditError(
            f"An embedding needs at least two models; there {_are(len(chosen))}.",
            "Dissect another model, or import a table of several models.",
        )
    mean = chosen.mean(0)
    # What does not vary is exactly zero, not a rounding error.
    centred = np.where((chosen == chosen[:1]).all(0), 0.0, chosen - mean)
    return mean, centred


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}"


def _rank(singular: np.ndarray, values: np.ndarray) -> int:
    smallest = max(values.shape) * np.finfo(np.float64).eps * singular.max(initial=0.0)
    return int((singular > smallest).sum())
