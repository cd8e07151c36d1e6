"""Predicting one model's concepts from another model's activations: lasso over folds of images."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch

from analysis.concepts.lasso_solver import Design, solve
from analysis.errors import AuditError
from analysis.statistics.numerics import require_finite, widened


@dataclass(frozen=True)
class LassoFolds:
    """Lasso models of k concepts, one a fold, on the scale of the activations and coefficients.

    The `kkt_residual` is that of the standardised problem, relative to nothing: compare it with
    alpha. `nonzero` counts predictors that at least one fold uses.
    """

    coefficients: torch.Tensor  # (F, d, k)
    intercepts: torch.Tensor  # (F, k)
    mean_coefficients: torch.Tensor  # (d, k)
    mean_intercept: torch.Tensor  # (k,)
    kkt_residual: torch.Tensor  # (F, k)
    nonzero: torch.Tensor  # (k,) int
    iterations: int
    converged: torch.Tensor  # (F, k) bool


def fold_of_rows(images: torch.Tensor, folds: int) -> torch.Tensor:
    """The fold that holds out each row: images in order of appearance, in `folds` even runs.

    As scikit-learn's unshuffled `KFold` over images; patches of one image stay together. Fewer
    images than `folds` are held out one at a time.

    :param images: (n,) integer ids.
    :returns: (n,) fold of each row.
    :raises AuditError: fewer than two images.
    """
    order: dict[int, int] = {}
    for image in images.tolist():
        order.setdefault(image, len(order))
    if len(order) < 2:
        raise AuditError(
            "Predicting concepts needs patches of at least two images.",
            "Add images of this class, or leave it out.",
        )
    used = min(folds, len(order))
    if used < 2:
        raise AuditError("Cross-validation needs at least two folds.")
    size, extra = divmod(len(order), used)
    fold_of_image = np.repeat(np.arange(used), [size + (fold < extra) for fold in range(used)])
    rows = [int(fold_of_image[order[image]]) for image in images.tolist()]
    return torch.tensor(rows, device=images.device)


def fit_lasso_folds(
    activations: torch.Tensor,
    coefficients: torch.Tensor,
    images: torch.Tensor,
    alpha: float = 0.1,
    folds: int = 5,
    tolerance: float = 1e-6,
    max_rounds: int = 50,
) -> LassoFolds:
    """Fit U ≈ AW + b sparsely for every concept and fold (paper, Eq. 3–4 and B.2).

    Predictors and targets are standardised once over all rows; each fold trains on the images of
    the others. The objective is ‖y − Xw − b‖²/(2n) + α‖w‖₁, as the paper's code has it; its Eq. 4
    without the ½ corresponds to twice this α. All folds and targets are solved together from
    shared Gram matrices. Constant predictors get weight 0, constant targets a constant prediction.

    :param activations: (n, d) of the predicting model.
    :param coefficients: (n, k) concept coefficients; those of several models may be joined.
    :param images: (n,) the image of each patch.
    :param tolerance: largest KKT residual that counts as converged.
    :raises AuditError: fewer than two images, or a value that is not finite.
    """
    fold, standard = _prepare(activations, coefficients, images, folds)
    order = fold.argsort(stable=True)
    count = int(fold.max()) + 1
    bounds = torch.searchsorted(fold[order], torch.arange(count + 1, device=fold.device))
    design = Design(standard.predictors[order].T.contiguous(), tuple(bounds.tolist()))
    targets = standard.targets[order].T.contiguous()
    solutions = solve(design, targets, alpha, tolerance, max_rounds)
    shape = (count, coefficients.shape[1], activations.shape[1])
    weights = solutions.coefficients.reshape(shape).transpose(1, 2)
    training = design.training_mask() / design.training_rows[:, None]
    intercepts = training @ targets.T - _times(training @ design.columns.T, weights)
    return standard.finish(
        weights,
        intercepts,
        solutions.residuals.reshape(shape[:2]),
        solutions.rounds,
        tolerance,
    )


def celer_lasso_folds(
    activations: torch.Tensor,
    coefficients: torch.Tensor,
    images: torch.Tensor,
    alpha: float = 0.1,
    folds: int = 5,
    tolerance: float = 1e-4,
    max_rounds: int = 100,
) -> LassoFolds:
    """`fit_lasso_folds` by the paper's own solver, celer, one concept and fold after another.

    :param tolerance: celer's: duality gap relative to the targets; 1e-4 is its default.
    """
    from celer import Lasso

    fold, standard = _prepare(activations, coefficients, images, folds)
    x, y = standard.predictors.cpu().numpy(), standard.targets.cpu().numpy()
    held, count, concepts = fold.cpu().numpy(), int(fold.max()) + 1, y.shape[1]
    weights = np.zeros((count, x.shape[1], concepts))
    intercepts = np.zeros((count, concepts))
    residuals = np.zeros((count, concepts))
    rounds = 0
    for index in range(count):
        train = held != index
        design = np.asfortranarray(x[train])
        for concept in range(concepts):
            target = y[train, concept]
            if (target == target[0]).all():
                intercepts[index, concept] = target[0]
                continue
            model = Lasso(alpha, tol=tolerance, max_iter=max_rounds)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its convergence is reported below
                model.fit(design, target)
            weights[index, :, concept] = model.coef_
            intercepts[index, concept] = model.intercept_
            residuals[index, concept] = _numpy_kkt(design, target, model, alpha)
            rounds = max(rounds, int(np.max(model.n_iter_)))
    dtype, device = standard.predictors.dtype, activations.device
    return standard.finish(
        torch.as_tensor(weights, dtype=dtype, device=device),
        torch.as_tensor(intercepts, dtype=dtype, device=device),
        torch.as_tensor(residuals, dtype=dtype, device=device),
        rounds,
        max(tolerance**0.5, 1e-6),
    )


def predict(activations: torch.Tensor, folds: LassoFolds) -> torch.Tensor:
    """Concept coefficients predicted by the mean of the folds' models (paper, B.2): (n, k)."""
    require_finite(activations, "Activations")
    return activations @ folds.mean_coefficients + folds.mean_intercept


def out_of_fold(activations: torch.Tensor, folds: LassoFolds, images: torch.Tensor) -> torch.Tensor:
    """Concept coefficients of each row by the one model that did not train on it: (n, k).

    :param activations: (n, d), the rows the folds were fitted on.
    :param images: (n,), as given to the fit.
    """
    require_finite(activations, "Activations")
    fold = fold_of_rows(images, folds.coefficients.shape[0])
    result = activations.new_empty(activations.shape[0], folds.intercepts.shape[1])
    for index in range(folds.coefficients.shape[0]):
        rows = fold == index
        result[rows] = activations[rows] @ folds.coefficients[index] + folds.intercepts[index]
    return result


@dataclass(frozen=True)
class _Standard:
    """Standardised predictors (n, d) and targets (n, k), and the way back."""

    predictors: torch.Tensor
    targets: torch.Tensor
    predictor_mean: torch.Tensor
    predictor_scale: torch.Tensor
    target_mean: torch.Tensor
    target_scale: torch.Tensor
    dtype: torch.dtype

    def finish(
        self,
        weights: torch.Tensor,
        intercepts: torch.Tensor,
        residuals: torch.Tensor,
        rounds: int,
        tolerance: float,
    ) -> LassoFolds:
        """From weights (F, d, k) and intercepts (F, k) of the standardised problem."""
        raw = weights * self.target_scale / self.predictor_scale[:, None]
        offset = intercepts * self.target_scale + self.target_mean
        offset = offset - _times(self.predictor_mean.expand(weights.shape[0], -1), raw)
        return LassoFolds(
            coefficients=raw.to(self.dtype),
            intercepts=offset.to(self.dtype),
            mean_coefficients=raw.mean(0).to(self.dtype),
            mean_intercept=offset.mean(0).to(self.dtype),
            kkt_residual=residuals,
            nonzero=(weights != 0).any(0).sum(0),
            iterations=rounds,
            converged=residuals <= tolerance,
        )


def _prepare(
    activations: torch.Tensor, coefficients: torch.Tensor, images: torch.Tensor, folds: int
) -> tuple[torch.Tensor, _Standard]:
    require_finite(activations, "Activations")
    require_finite(coefficients, "Concept coefficients")
    fold = fold_of_rows(images, folds).to(activations.device)
    x, x_mean, x_scale = _standardise(activations)
    y, y_mean, y_scale = _standardise(coefficients)
    return fold, _Standard(x, y, x_mean, x_scale, y_mean, y_scale, activations.dtype)


def _standardise(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Zero mean and unit (population) deviation; a constant column becomes exactly zero."""
    constant = (values == values[:1]).all(0)
    wide = widened(values)
    mean = wide.mean(0)
    centred = (wide - mean).masked_fill_(constant, 0)
    scale = centred.square().mean(0).sqrt()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return centred / scale, mean, scale


def _times(rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(F, d) and (F, d, k) to (F, k)."""
    return torch.bmm(rows[:, None, :], weights)[:, 0]


def _numpy_kkt(design: np.ndarray, target: np.ndarray, model: object, alpha: float) -> float:
    weights = np.asarray(model.coef_)  # type: ignore[attr-defined]
    left = target - design @ weights - model.intercept_  # type: ignore[attr-defined]
    gradient = design.T @ left / len(target)
    used = np.abs(gradient - alpha * np.sign(weights))
    unused = np.clip(np.abs(gradient) - alpha, 0, None)
    return float(np.where(weights != 0, used, unused).max())


__all__ = [
    "LassoFolds",
    "celer_lasso_folds",
    "fit_lasso_folds",
    "fold_of_rows",
    "out_of_fold",
    "predict",
]
