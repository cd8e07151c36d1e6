"""The linear probe: logistic regression on features that stay as they are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError
from analysis.evaluation.checks import checked_features, checked_labels, require_classes
from analysis.evaluation.splits import Fold, stratified_folds
from analysis.evaluation.threads import side_by_side

# From strong to weak regularisation; scikit-learn's C, for standardised features.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_INNER_FOLDS = 5
# With so many training images one inner fold tells the strengths apart as well as all.
_ENOUGH_FOR_ONE_INNER_FOLD = 1000
_SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class LinearProbe:
    """`probabilities`: (images, classes), NaN for images that are not tested.

    One entry a fold: the `strength` C that was chosen, and whether the solver `converged`.
    """

    probabilities: np.ndarray
    strength: tuple[float, ...]
    converged: tuple[bool, ...]


def linear_probe(
    features: np.ndarray,
    labels: np.ndarray,
    folds: Sequence[Fold],
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    tolerance: float = 1e-5,
    max_iterations: int = 500,
    classes: int | None = None,
    report: Callable[[float, float, str], None] | None = None,
) -> LinearProbe:
    """Class probabilities of every tested image from multinomial logistic regression.

    L2-regularised. Mean and spread of the features come from the training images of the fold
    alone; so does C, that of the lowest log loss in folds within the training images. C rises
    until the log loss does.

    :param features: (images, d).
    :param labels: (images,) class numbers; -1 only for images that are in no fold.
    :param strengths: values of C to choose among; one value is taken as it is.
    :param tolerance: largest entry of the gradient of the mean loss that counts as converged.
    :param classes: number of classes; the largest label plus one where it is not given.
    :param report: called with (done, total, text), in the caller's thread; may raise to cancel.
    :raises AuditError: features that are not finite, labels that do not fit, or a fold whose
        training images show a single class.
    """
    values = checked_features(features)
    numbers = checked_labels(labels, len(values))
    ordered = sorted(strengths)
    if not ordered or not (ordered[0] > 0 and np.isfinite(ordered[-1])):
        raise AuditError("Strengths of regularisation must be numbers above 0.")
    count = int(numbers.max()) + 1 if classes is None else classes
    for fold in folds:
        _check_fold(fold, numbers, count)

    def run(position: int, tell: Callable[[float], None]) -> tuple[np.ndarray, float, bool]:
        fold = folds[position]
        train, test = _prepared(values[fold.train], values[fold.test])
        target = numbers[fold.train]
        strength = _chosen(train, target, ordered, seed, tolerance, max_iterations, tell)
        model = _Classifier(strength, tolerance, max_iterations).fit(train, target)
        return model.probabilities(test, count), strength, model.converged

    def tell_all(done: float, total: float) -> None:
        if report:
            report(done, total, "linear probe")

    with _quiet_about_convergence():
        fitted = side_by_side(len(folds), run, tell_all)
    found = np.full((len(values), count), np.nan)
    for fold, (probabilities, _, _) in zip(folds, fitted, strict=True):
        found[fold.test] = probabilities
    return LinearProbe(
        found,
        tuple(strength for _, strength, _ in fitted),
        tuple(converged for _, _, converged in fitted),
    )


class _Classifier:
    """Logistic regression that starts from where the last fit ended."""

    def __init__(self, strength: float, tolerance: float, max_iterations: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self._model = LogisticRegression(
            C=strength, tol=tolerance, max_iter=max_iterations, warm_start=True
        )
        self._max_iterations = max_iterations

    def fit(self, features: np.ndarray, labels: np.ndarray) -> _Classifier:
        self._model.fit(features, labels)
        return self

    def refit(self, strength: float, features: np.ndarray, labels: np.ndarray) -> _Classifier:
        self._model.set_params(C=strength)
        return self.fit(features, labels)

    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """Weight (classes, d) and bias (classes,); of two classes one row for each as well."""
        weight, bias = self._model.coef_, self._model.intercept_
        if len(weight) == 1:  # scikit-learn keeps the score of the second class alone
            weight, bias = np.vstack([-weight, weight]) / 2, np.hstack([-bias, bias]) / 2
        return weight, bias

    @property
    def converged(self) -> bool:
        return bool((self._model.n_iter_ < self._max_iterations).all())

    def probabilities(self, features: np.ndarray, classes: int) -> np.ndarray:
        found = np.zeros((len(features), classes))
        found[:, self._model.classes_] = self._model.predict_proba(features)
        return found


@contextmanager
def _quiet_about_convergence() -> Iterator[None]:
    """`LinearProbe.converged` says it; set here, since filters are shared by all threads."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _check_fold(fold: Fold, labels: np.ndarray, classes: int) -> None:
    for part in (fold.train, fold.test):
        used = labels[part]
        if len(used) and (used.min() < 0 or used.max() >= classes):
            raise AuditError(f"Labels must lie between 0 and {classes - 1}.")
    require_classes(labels[fold.train], "The training images")


def _prepared(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both standardised by `train`; turned into its span where that is much smaller.

    An L2-regularised fit stays within the span of its training images and does not change with a
    rotation: with fewer images than features, as many coordinates as images are enough.
    """
    mean, inverse = _standardisation(train)
    train, test = (train - mean) * inverse, (test - mean) * inverse
    basis = _span(train)
    if basis is not None:
        train, test = train @ basis, test @ basis
    return np.ascontiguousarray(train, np.float32), np.ascontiguousarray(test, np.float32)


def _standardisation(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and inverse spread of each feature, float64; 0 for a constant one."""
    wide = features.astype(np.float64)
    mean, spread = wide.mean(0), wide.std(0)
    # What rounding leaves of a constant feature must not be blown up.
    constant = spread <= 1e-6 * np.abs(wide).max(0)
    return mean, np.where(constant, 0, 1 / np.where(constant, 1, spread))


def _span(features: np.ndarray) -> np.ndarray | None:
    """An orthonormal basis of what the images span, (d, images), where that saves work."""
    if len(features) >= 0.75 * features.shape[1]:
        return None
    return np.linalg.qr(features.T)[0]


def _chosen(
    features: np.ndarray,
    labels: np.ndarray,
    strengths: Sequence[float],
    seed: int,
    tolerance: float,
    max_iterations: int,
    tell: Callable[[float], None],
) -> float:
    """The C of the lowest log loss in folds within the training images."""
    parts = _inner_parts(labels, seed)
    tell(0)
    if len(strengths) == 1 or not parts:
        return strengths[len(strengths) // 2]
    models = [_Classifier(strengths[0], tolerance, max_iterations) for _ in parts]
    best, best_loss = strengths[0], np.inf
    for step, strength in enumerate(strengths):
        losses = []
        for place, (model, (train, test)) in enumerate(zip(models, parts, strict=True)):
            tell((step + place / len(parts)) / (len(strengths) + 1))
            model.refit(strength, features[train], labels[train])
            given = model.probabilities(features[test], int(labels.max()) + 1)
            likelihood = given[np.arange(len(test)), labels[test]]
            losses.append(-np.log(np.maximum(likelihood, _SMALLEST_PROBABILITY)))
        loss = float(np.concatenate(losses).mean())
        if loss >= best_loss:
            break
        best, best_loss = strength, loss
    return best


def _inner_parts(labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(train, test) positions within the training images; a lone image of a class only trains."""
    counts = np.bincount(labels)
    fold = stratified_folds(np.where(counts[labels] > 1, labels, -1), _INNER_FOLDS, seed)
    used = 1 if len(labels) >= _ENOUGH_FOR_ONE_INNER_FOLD else _INNER_FOLDS
    parts = [(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(used)]
    return [(train, test) for train, test in parts if len(test)]


@dataclass(frozen=True)
class LinearHead:
    """A linear classifier of features as they are: scores = features @ `weight`ᵀ + `bias`.

    `weight`: (classes, d) float32; `bias`: (classes,) float32; `strength`: the C that was chosen.
    """

    weight: np.ndarray
    bias: np.ndarray
    strength: float
    converged: bool


def fit_linear_head(
    features: np.ndarray,
    labels: np.ndarray,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    tolerance: float = 1e-5,
    max_iterations: int = 500,
) -> LinearHead:
    """A linear probe fitted to all images, as a classifier head.

    As `linear_probe` with all images as training images: its scores on the same images say nothing
    of how well the features tell the classes apart.

    :param features: (images, d).
    :param labels: (images,) class numbers from 0 without a gap.
    :raises AuditError: features that are not finite, or a single class.
    """
    values = checked_features(features)
    numbers = checked_labels(labels, len(values))
    require_classes(numbers, "The images")
    mean, inverse = _standardisation(values)
    standard = (values - mean) * inverse
    basis = _span(standard)
    standard = np.ascontiguousarray(standard if basis is None else standard @ basis, np.float32)
    with _quiet_about_convergence():
        strength = _chosen(
            standard, numbers, sorted(strengths), seed, tolerance, max_iterations, lambda _: None
        )
        model = _Classifier(strength, tolerance, max_iterations).fit(standard, numbers)
    weight, bias = model.coefficients()
    if basis is not None:
        weight = weight @ basis.T
    weight = weight * inverse
    return LinearHead(
        weight.astype(np.float32),
        (bias - weight @ mean).astype(np.float32),
        strength,
        model.converged,
    )
