"""Dissect profiles: how many units of each model stand for each concept (LCE paper, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AuditError


@dataclass(frozen=True)
class DissectProfiles:
    """The interpretable units of each concept.

    `concepts` and `categories` name the columns together, in the order of category, then name: a
    name may stand in two categories. `units`: int64 (models, concepts).
    """

    models: tuple[str, ...]
    concepts: tuple[str, ...]
    categories: tuple[str, ...]
    units: np.ndarray


@dataclass(frozen=True)
class AbstractedProfiles:
    """Profiles summed by category: `all_units` counts units, `unique_concepts` counts the
    concepts that any unit stands for; int64 (models, categories)."""

    models: tuple[str, ...]
    categories: tuple[str, ...]
    all_units: np.ndarray
    unique_concepts: np.ndarray


def dissect_profiles(
    model: Sequence[str] | np.ndarray,
    concept: Sequence[str] | np.ndarray,
    category: Sequence[str] | np.ndarray,
    interpretable: Sequence[bool] | np.ndarray,
    models: Sequence[str] | None = None,
) -> DissectProfiles:
    """Count the interpretable units of every model and concept.

    The columns are the super-set: every concept that an interpretable unit of any model stands
    for.

    :param model: of every unit; likewise `concept`, `category` and `interpretable`.
    :param models: the rows, in order; by default the models of the units in their order. A model
        without an interpretable unit keeps its row of zeros.
    :raises AuditError: the columns differ in length, or a unit is of a model that is not listed.
    """
    if not len(model) == len(concept) == len(category) == len(interpretable):
        raise AuditError("The columns of the units differ in length.", "Import the table again.")
    rows = tuple(dict.fromkeys(str(name) for name in (model if models is None else models)))
    position = {name: index for index, name in enumerate(rows)}
    stranger = next((str(name) for name in model if str(name) not in position), None)
    if stranger is not None:
        raise AuditError(f"The model “{stranger}” is not among those chosen.", "Add it to them.")
    counted = [
        (str(category[unit]), str(concept[unit]), position[str(model[unit])])
        for unit in np.flatnonzero(np.asarray(interpretable, dtype=bool)).tolist()
    ]
    columns = sorted({(each[0], each[1]) for each in counted})
    place = {column: index for index, column in enumerate(columns)}
    units = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for of_category, name, row in counted:
        units[row, place[of_category, name]] += 1
    return DissectProfiles(
        models=rows,
        concepts=tuple(name for _, name in columns),
        categories=tuple(of_category for of_category, _ in columns),
        units=units,
    )


def abstracted_profiles(profiles: DissectProfiles) -> AbstractedProfiles:
    """Sum the profiles by category, in all units and in unique concepts (LCE paper, Fig. 5)."""
    names = tuple(dict.fromkeys(profiles.categories))
    member = np.array(
        [[category == name for name in names] for category in profiles.categories], dtype=np.int64
    ).reshape(len(profiles.categories), len(names))
    return AbstractedProfiles(
        models=profiles.models,
        categories=names,
        all_units=profiles.units @ member,
        unique_concepts=(profiles.units > 0).astype(np.int64) @ member,
    )
