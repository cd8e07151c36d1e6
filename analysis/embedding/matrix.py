"""The matrix of learned concepts: models by concepts of the super-set (paper, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.errors import AuditError

Concept = tuple[str, str]  # name, category: `food` is an object and a material
Profile = Mapping[Concept, int]  # interpretable units of a model by concept


@dataclass(frozen=True)
class ConceptMatrix:
    """How many units of each model know each concept of the super-set.

    Concepts are ordered by category, then name: the order of the authors' columns
    (`c_black`, `m_brick`, `o_airplane`, …).
    """

    models: tuple[str, ...]
    concepts: tuple[str, ...]
    categories: tuple[str, ...]  # of each concept
    counts: np.ndarray  # (models, concepts) units
    category_sizes: np.ndarray  # (concepts,) concepts of that category in the super-set

    @property
    def values(self) -> np.ndarray:
        """(models, concepts) units divided by the size of the concept's category."""
        return self.counts / self.category_sizes


@dataclass(frozen=True)
class CategoryTotals:
    """The abstracted profile: units (`all`) and different concepts (`unique`) by category.

    Both are (models, categories).
    """

    categories: tuple[str, ...]
    all: np.ndarray
    unique: np.ndarray


def matrix_of_counts(
    models: Sequence[str], concepts: Sequence[Concept], counts: np.ndarray
) -> ConceptMatrix:
    """The matrix of all models, whose super-set is what any of them knows.

    Concepts that no unit knows are left out of it.

    :param concepts: in any order; they come out by category, then name.
    :param counts: (models, concepts) interpretable units.
    :raises AuditError: no model, no concept at all, a negative count, or two models of one name.
    """
    counts = np.asarray(counts, dtype=np.int64)
    if len(set(models)) != len(models):
        raise AuditError("Two models have the same name.", "Give every model a name of its own.")
    if counts.size and counts.min() < 0:
        raise AuditError("A profile counts fewer than no units.", "Check the profile's numbers.")
    known = [index for index in range(len(concepts)) if counts[:, index].any()]
    if not known:
        raise AuditError(
            "No model has an interpretable unit.",
            "Lower the IoU threshold, or dissect trained models over more images.",
        )
    known.sort(key=lambda index: concepts[index][::-1])
    categories = [concepts[index][1] for index in known]
    size = {category: categories.count(category) for category in categories}
    return ConceptMatrix(
        models=tuple(models),
        concepts=tuple(concepts[index][0] for index in known),
        categories=tuple(categories),
        counts=counts[:, known],
        category_sizes=np.array([size[category] for category in categories], dtype=np.int64),
    )


def without_first_concept(matrix: ConceptMatrix) -> ConceptMatrix:
    """The matrix less its first concept, as the authors' code has it; category sizes stay.

    A matrix of one concept is returned as it is.
    """
    if len(matrix.concepts) < 2:
        return matrix
    return replace(
        matrix,
        concepts=matrix.concepts[1:],
        categories=matrix.categories[1:],
        counts=matrix.counts[:, 1:],
        category_sizes=matrix.category_sizes[1:],
    )


def without_model(matrix: ConceptMatrix, model: int) -> ConceptMatrix:
    """The matrix as if the model at index `model` had never been there: its own super-set."""
    kept = [index for index in range(len(matrix.models)) if index != model]
    names = [matrix.models[index] for index in kept]
    concepts = list(zip(matrix.concepts, matrix.categories, strict=True))
    return matrix_of_counts(names, concepts, matrix.counts[kept])


def profile_values(
    matrix: ConceptMatrix, profile: Profile
) -> tuple[np.ndarray, tuple[Concept, ...]]:
    """A further model's row in an existing matrix, to project it into an existing embedding.

    :returns: (concepts,) values, and the concepts of the profile that the super-set lacks; they
        have no place in the embedding.
    """
    concepts = tuple(zip(matrix.concepts, matrix.categories, strict=True))
    counts = np.array([profile.get(concept, 0) for concept in concepts], dtype=np.float64)
    left_out = tuple(sorted(set(profile) - set(concepts)))
    return counts / matrix.category_sizes, left_out


def category_totals(matrix: ConceptMatrix) -> CategoryTotals:
    """The abstracted profile of each model (paper, section 3 and Fig. 4)."""
    categories = tuple(dict.fromkeys(matrix.categories))
    member = np.array([[own == category for category in categories] for own in matrix.categories])
    return CategoryTotals(
        categories=categories,
        all=matrix.counts @ member.astype(np.int64),
        unique=(matrix.counts > 0).astype(np.int64) @ member.astype(np.int64),
    )
