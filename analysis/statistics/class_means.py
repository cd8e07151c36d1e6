"""The interval and the chance level of a mean over classes. No torch here."""

from __future__ import annotations

import numpy as np


def mean_interval(
    values: np.ndarray, variances: np.ndarray, images: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the mean over classes of a similarity in −1…1, classes being given.

    Student's t on Fisher's z scale (so that no end leaves −1…1), with the degrees of freedom of
    Welch and Satterthwaite, each class's variance being known from its images less one.

    :param values: (classes, …), NaN for classes that have none; `variances`: of those.
    :param images: (classes,) images behind each variance.
    :returns: (low, high); NaN where a class that counts has no variance.
    """
    known = np.isfinite(values)
    count = known.sum(0)
    freedom = np.maximum(images - 1, 1).reshape(-1, *[1] * (values.ndim - 1))
    variances = np.where(known, variances, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(0) / count
        total = variances.sum(0)
        degrees = total**2 / (variances**2 / freedom).sum(0)
        error = np.sqrt(total) / count
    return interval_around(mean, error, degrees, level)


def interval_around(
    value: np.ndarray, error: np.ndarray, degrees: np.ndarray | float = np.inf, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a similarity in −1…1 from its standard error, on Fisher's z scale.

    :param degrees: of freedom of Student's t; infinite: the normal law.
    :returns: (low, high), the value between them; NaN where the error is.
    """
    from scipy.stats import t  # slow to import

    with np.errstate(invalid="ignore", divide="ignore"):
        room = 1 - value**2
        half = t.ppf((1 + level) / 2, degrees) * error / room
        centre = np.arctanh(np.clip(value, -1, 1))
        low, high = np.tanh(centre - half), np.tanh(centre + half)
    # Without variance, or at the end of the scale, there is nothing to add to either side.
    sure = (error == 0) | (room <= 1e-9)
    return np.where(sure, value, low), np.where(sure, value, high)


def few_draws_quantile(draws: np.ndarray, level: float = 0.95) -> np.ndarray:
    """What a mean over classes stays below by chance, from few shuffles of each class.

    A normal law, with the uncertainty of its own mean and variance: the upper end of the one-sided
    prediction interval of one more mean over classes (Student's t). Each class's variance is that
    of its own draws; with a single draw a class it is that between classes, which is larger.

    :param draws: (classes, draws, …), NaN throughout for classes that have none.
    :returns: (…); NaN with fewer than two draws in all.
    """
    from scipy.stats import t  # slow to import

    known = np.isfinite(draws[:, 0])
    classes, each = known.sum(0), draws.shape[1]
    filled = np.where(known[:, None], draws, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_class = filled.mean(1)
        mean = of_class.sum(0) / classes
        if each > 1:
            total = filled.var(1, ddof=1).sum(0) / classes**2
            freedom = classes * (each - 1)
        else:
            apart = np.where(known, of_class - mean, 0.0)
            freedom = classes - 1
            total = (apart**2).sum(0) / freedom / classes
        found = mean + t.ppf(level, freedom) * np.sqrt(total * (1 + 1 / each))
    return np.where((freedom > 0) & (classes > 0), found, np.nan)
