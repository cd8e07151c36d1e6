"""The two ways of making the embedding, labelled in the product and in every export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from analysis.embedding.matrix import ConceptMatrix, without_first_concept
from analysis.errors import AuditError

#: `default`: all concepts, all models, as many groups as the silhouette prefers.
#: `paper`: as published, with what the released code really computes: category sizes from all
#: models, the first concept column (`c_black`) dropped, components fitted on the models of the
#: paper's Fig. 1, three groups.
Preset = Literal["default", "paper"]

#: Models of the paper's Fig. 1, by their names in the authors' table.
PUBLISHED_MODELS = (
    "BYOL(R)",
    "DeepClusterV2(R)",
    "InfoMin(R)",
    "InsDis(R)",
    "MoCoV1(R)",
    "MoCoV2(R)",
    "PCLV1(R)",
    "PCLV2(R)",
    "PIRL(R)",
    "SeLaV1(R)",
    "SeLaV2(R)",
    "Supervised(R)",
    "SwAV(R)",
)
PUBLISHED_GROUPS = 3


def check_preset(preset: str) -> None:
    """:raises AuditError: `preset` is neither `default` nor `paper`."""
    if preset not in get_args(Preset):
        raise AuditError(f"Unknown preset “{preset}”.", "Choose default or paper.")


def fitted_models(models: Sequence[str], preset: Preset) -> np.ndarray:
    """(models,) which models the components and groups are fitted on; the others are projected.

    Default: all. Paper: the thirteen published models where the table has all of them; any other
    table has no such choice, and all its models are fitted.
    """
    check_preset(preset)
    if preset == "paper" and set(PUBLISHED_MODELS) <= set(models):
        return np.isin(np.array(models), PUBLISHED_MODELS)
    return np.ones(len(models), dtype=bool)


def preset_matrix(matrix: ConceptMatrix, preset: Preset) -> ConceptMatrix:
    """The matrix that components are fitted on: all concepts, or less the first one."""
    check_preset(preset)
    return without_first_concept(matrix) if preset == "paper" else matrix
