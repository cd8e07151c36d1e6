"""The networks of a project, loaded as they were added to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.models.loading import LoadedModel, load_model
from analysis.models.optimize import InferenceOptions, Precision
from analysis.models.preprocessing import Preprocessing, to_model_input
from analysis.models.specification import parse_specification

if TYPE_CHECKING:
    from analysis.project import Project


def load_project_model(
    project: Project, name: str, device: torch.device, precision: Precision = "float32"
) -> LoadedModel:
    """A model of the project on a device, with the preprocessing that the project says.

    :raises AuditError: there is no such model, or its weights are gone or are no longer those that
        were added.
    """
    row = project.row(
        "SELECT specification, preprocessing, weights_sha256 FROM model WHERE name = ?", (name,)
    )
    if row is None:
        raise AuditError(f"The project has no model “{name}”.", "Add it first.")
    specification = parse_specification(row["specification"])
    model = load_model(specification, device, InferenceOptions(precision=precision))
    if row["weights_sha256"] and model.weights_sha256 != row["weights_sha256"]:
        raise AuditError(
            f"The weights of “{name}” are not those that were added to the project.",
            "Put the former file back, or add the new one as another model.",
        )
    preprocessing = Preprocessing.from_json(row["preprocessing"])
    return dataclasses.replace(model, preprocessing=preprocessing, cache={})


def model_input(model: LoadedModel, frames: np.ndarray, device: torch.device) -> torch.Tensor:
    """Frames (n, side, side, 3) uint8 as the model takes them, (n, 3, height, width)."""
    pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    return to_model_input(pixels, model.preprocessing, device)
