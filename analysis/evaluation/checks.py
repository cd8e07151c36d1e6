"""What features, labels and class numbers must be before anything is fitted to them."""

from __future__ import annotations

import numpy as np

from analysis.errors import AuditError

# Largest feature that can be squared and summed in single precision.
_LARGEST = 1e15


def checked_features(features: np.ndarray) -> np.ndarray:
    """`features` as a float32 matrix (images, features).

    :param features: (images, …); what follows the images is flattened.
    :raises AuditError: no image, no feature, or a value that is not a finite number.
    """
    values = np.asarray(features)
    if values.ndim < 2 or 0 in values.shape:
        raise AuditError(
            f"Features of shape {values.shape} hold no row of numbers for each image.",
            "Choose a layer with at least one unit and an image set with images.",
        )
    values = values.reshape(len(values), -1)
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise AuditError("Features must be numbers.")
    # NaN compares as False, so it is refused too.
    if not bool((np.abs(values) < _LARGEST).all()):
        bad = int((~(np.abs(values) < _LARGEST)).any(1).sum())
        raise AuditError(
            f"The features of {bad} of {len(values)} images are not finite numbers, or are too"
            " large to compute with.",
            "Check the model's weights and its preprocessing; half precision may overflow.",
        )
    return np.ascontiguousarray(values, np.float32)


def checked_labels(labels: np.ndarray, images: int) -> np.ndarray:
    """`labels` as (images,) int64 class numbers.

    :raises AuditError: another number of labels than images, or labels that are no whole numbers.
    """
    numbers = np.asarray(labels)
    if numbers.shape != (images,):
        raise AuditError(
            f"There are {numbers.size} labels for {images} images.",
            "Every image needs one label; extract the features from the same image set.",
        )
    if not np.issubdtype(numbers.dtype, np.integer):
        raise AuditError("Labels must be class numbers.")
    return numbers.astype(np.int64)


def require_classes(labels: np.ndarray, what: str) -> None:
    """Refuse labels of fewer than two classes; `what` names the images in the message.

    :raises AuditError: fewer than two classes.
    """
    found = len(np.unique(labels))
    if found < 2:
        raise AuditError(
            f"{what} show {'a single class' if found else 'no class'}; telling classes apart"
            " needs at least two.",
            "Choose an image set whose images are labelled with two classes or more.",
        )
