"""The Learned Concepts Embedding (LCE): components and groups of one table of profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.embedding.components import COMPONENTS, Components, fit_components
from analysis.embedding.groups import GroupChoice, choose_groups, letter_groups
from analysis.embedding.matrix import ConceptMatrix
from analysis.embedding.presets import PUBLISHED_GROUPS, Preset, fitted_models, preset_matrix
from analysis.errors import AuditError


@dataclass(frozen=True)
class Embedding:
    """Models in the LCE, and what it was made of."""

    preset: Preset
    profiles: ConceptMatrix  # all concepts of the super-set: what profiles are counted in
    matrix: ConceptMatrix  # what the components are fitted on
    fitted: np.ndarray  # (models,) False for a model that was only projected
    components: Components
    choice: GroupChoice  # over the fitted models

    @property
    def labels(self) -> np.ndarray:
        """(fitted models,) the group of each, from 0."""
        return self.choice.chosen_labels

    @property
    def groups(self) -> tuple[str, ...]:
        """(models,) letters A, B, …; empty for a model that was only projected.

        Default: in the order of the groups' alphabetically first models. Paper: from low to high
        on the second component, which gives the letters of the paper's Fig. 1.
        """
        models = [self.matrix.models[index] for index in np.flatnonzero(self.fitted)]
        height = self.components.points[self.fitted][:, 1:2]
        by_height = self.preset == "paper" and height.shape[1]
        letters = iter(letter_groups(self.labels, models, height[:, 0] if by_height else None))
        return tuple(next(letters) if fitted else "" for fitted in self.fitted)


def embed(
    profiles: ConceptMatrix,
    preset: Preset = "default",
    fitted: np.ndarray | None = None,
    groups: int | None = None,
    components: int = COMPONENTS,
    seed: int = 0,
) -> Embedding:
    """Fit components and groups to the profiles of models (paper, section 4).

    :param profiles: from `matrix_of_counts` or `matrix_at`, of all models of the run.
    :param fitted: (models,) which models to fit; those of the preset if None.
    :param groups: how many groups; if None the silhouette decides (default) or three (paper).
    :raises AuditError: an unknown preset, or fewer than two models to fit.
    """
    matrix = preset_matrix(profiles, preset)
    if fitted is None:
        fitted = fitted_models(matrix.models, preset)
    elif len(fitted) != len(matrix.models):
        raise AuditError("The choice of fitted models does not belong to these profiles.")
    fitted = np.asarray(fitted, dtype=bool)
    fit = fit_components(matrix, fitted, components)
    if groups is None and preset == "paper":
        groups = PUBLISHED_GROUPS
    # Groups are found in the whole matrix, as the paper does, not in the three components.
    choice = choose_groups(matrix.values[fitted], groups, seed=seed)
    return Embedding(preset, profiles, matrix, fitted, fit, choice)
