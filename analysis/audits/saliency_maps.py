"""Maps of some images by one model: what runs and the explanation of a single picture share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.saliency.applicability import reason_against
from analysis.saliency.attention_depth import AttentionDepth, attention_depth
from analysis.saliency.targets import cam_layers

if TYPE_CHECKING:
    from analysis.audits.saliency import SaliencyParameters
    from analysis.models.loading import LoadedModel
    from analysis.saliency.methods import MethodSettings

Reasons = tuple[tuple[str, str], ...]


def usable_methods(
    model: LoadedModel, parameters: SaliencyParameters
) -> tuple[tuple[MethodSettings, ...], Reasons]:
    """The methods that the model has what they need for; the titles of others, with the reason.

    :raises AuditError: the methods cannot be read.
    """
    settings = parameters.chosen_methods()
    layer = chosen_layer(model, parameters)
    reasons = [(one, reason_against(model, one, layer)) for one in settings]
    hint = "" if parameters.head == "probe" else " A run with head=probe fits one."
    return (
        tuple(one for one, reason in reasons if not reason),
        tuple(
            (
                one.title,
                reason + hint if "head" in one.definition.needs and _headless(model) else reason,
            )
            for one, reason in reasons
            if reason
        ),
    )


def _headless(model: LoadedModel) -> bool:
    return not model.num_classes


def chosen_layer(model: LoadedModel, parameters: SaliencyParameters) -> str | None:
    """The layer of the CAMs that the run names, if this model has it."""
    name = parameters.layer.strip()
    return name if name and any(layer.name == name for layer in cam_layers(model)) else None


def target_classes(
    target: str, names: Sequence[str], labels: Sequence[str | None]
) -> np.ndarray | None:
    """The class to explain in each image, −1 where there is none such; None: the predicted ones.

    :param target: predicted, label, or the name of a class.
    :param names: of the model's classes.
    :param labels: of the images.
    :raises AuditError: the model has no class of the name asked for.
    """
    if target == "predicted" or not names:
        return None
    if target == "label":
        return class_codes(names, labels)
    code = int(class_codes(names, [target.strip()])[0])
    if code < 0:
        raise AuditError(
            f"The model has no class “{target}”.", "Explain the predicted class, or name another."
        )
    return np.full(len(labels), code, dtype=np.int64)


def class_codes(names: Sequence[str], labels: Sequence[str | None]) -> np.ndarray:
    """The number of the class that is called like each label, −1 where there is none."""
    codes = {name.casefold(): code for code, name in enumerate(names)}
    return np.array([codes.get((label or "").casefold(), -1) for label in labels], dtype=np.int64)


def attention_of(model: LoadedModel, batch: torch.Tensor) -> AttentionDepth | None:
    """Raw attention of every layer and head; None for a model that has none to show."""
    try:
        return attention_depth(model, batch)
    except AuditError:
        return None
