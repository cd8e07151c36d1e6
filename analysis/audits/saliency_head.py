"""The classes of a saliency run: a model's own head, or a linear one fitted to the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.audits.comparison import images_of_run, unique_class_names
from analysis.audits.context import RunContext
from analysis.devices import algebra_threads
from analysis.errors import AuditError
from analysis.evaluation.probe import fit_linear_head
from analysis.models.layers import PENULTIMATE
from analysis.saliency.linear_head import attach_linear_head

if TYPE_CHECKING:
    from analysis.audits.saliency import SaliencyParameters
    from analysis.models.loading import LoadedModel


def explained_model(context: RunContext, name: str) -> LoadedModel:
    """The model as it is explained: with a linear head where it has none and the run asks for one.

    :raises AuditError: the model cannot be loaded, or no head can be fitted.
    """
    parameters: SaliencyParameters = context.parameters
    model = context.features.model(name)
    if model.num_classes or parameters.head == "own":
        return model
    return context.keep(f"head of {name}", lambda: _with_probe(context, name, model))


def output_names(model: LoadedModel) -> tuple[str, ...]:
    """Names of a model's classes; numbers where it has none."""
    return unique_class_names(model.class_names or (), model.num_classes)


def _with_probe(context: RunContext, name: str, model: LoadedModel) -> LoadedModel:
    """The model with a head fitted to all labelled images, those set aside for tests left out."""
    splits = {
        row["id"]: row["split"]
        for row in context.project.rows(
            "SELECT id, split FROM image WHERE image_set = ?", (context.run.image_set,)
        )
    }
    images = [
        image
        for image in images_of_run(context)
        if image.label and splits[image.id] not in ("test", "val")
    ]
    classes = sorted({image.label for image in images if image.label})
    if len(classes) < 2:
        raise AuditError(
            "A linear head needs images of two classes or more.", "Add labelled images."
        )
    features = context.features.image_features(
        name, images, PENULTIMATE, context.stepper(0.0, 0.5, f"{name}: features for its head")
    )
    labels = np.array([classes.index(images[place].label or "") for place in features.positions])
    with algebra_threads(features.features.size):
        head = fit_linear_head(features.features, labels, seed=context.parameters.seed)
    return attach_linear_head(
        model, torch.from_numpy(head.weight), torch.from_numpy(head.bias), classes
    )
