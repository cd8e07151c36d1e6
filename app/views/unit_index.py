"""The units of a run made ready for the keys of a typist: filters and counts by numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analysis.figures.unit_data import UnitTable
from analysis.figures.words import NOT_COUNTED

NO_CATEGORY = "no concept"


@dataclass(frozen=True)
class UnitFilters:
    """What a unit must meet to be shown. Without categories or models all of them are; so they are
    where none of the models is in the run."""

    words: str = ""  # each has to occur in the concept's name
    categories: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    interpretable_only: bool = False


@dataclass(frozen=True)
class Found:
    """Who knows what was searched for: interpretable units by model and by concept, most first."""

    words: str
    models: tuple[tuple[str, int], ...]
    concepts: tuple[tuple[str, int], ...]
    weaker: int  # units whose best concept it is, but not well enough
    any_concept: bool  # whether a concept of the run is called like that

    @property
    def units(self) -> int:
        return sum(amount for _, amount in self.models)


@dataclass(frozen=True)
class ModelCounts:
    """Units of each model; every array has one entry a model of the index."""

    units: np.ndarray
    interpretable: np.ndarray
    concepts: np.ndarray  # different ones of interpretable units
    shown: np.ndarray


@dataclass
class UnitIndex:
    """Codes in place of texts, so that 40,960 units are filtered within a millisecond or two.

    `models`, `concepts` and `categories` are the different texts, in the order of the run (models)
    or of the alphabet; the `…_of` arrays index them, one entry a unit.
    """

    table: UnitTable
    models: tuple[str, ...]
    layers: tuple[str, ...]  # of each model, several with commas between
    concepts: tuple[str, ...]
    categories: tuple[str, ...]
    model_of: np.ndarray
    concept_of: np.ndarray
    category_of: np.ndarray
    countable: np.ndarray  # bool: has a concept and a number
    row_of: dict[int, int] = field(default_factory=dict)  # unit id → place in the arrays
    _folded: np.ndarray = field(default_factory=lambda: np.zeros(0, np.str_))

    @staticmethod
    def of(table: UnitTable) -> UnitIndex:
        """Sort the texts of a run into codes."""
        models, model_of = _in_order(table.model)
        concepts, concept_of = np.unique(_texts(table.concept), return_inverse=True)
        written = _texts(table.category)
        categories, category_of = np.unique(
            np.where(written == "", NO_CATEGORY, written), return_inverse=True
        )
        named = np.array([bool(concept) for concept in concepts], dtype=bool)
        usual = np.array([c not in (*NOT_COUNTED, NO_CATEGORY) for c in categories], dtype=bool)
        countable = named[concept_of] & usual[category_of] & np.isfinite(table.iou)
        return UnitIndex(
            table=table,
            models=models,
            layers=_joined(_texts(table.layer), model_of, len(models)),
            concepts=tuple(concepts.tolist()),
            categories=tuple(categories.tolist()),
            model_of=model_of,
            concept_of=concept_of,
            category_of=category_of,
            countable=countable,
            row_of={int(unit): row for row, unit in enumerate(table.unit_id.tolist())},
            _folded=np.array([c.casefold() for c in concepts.tolist()], dtype=np.str_),
        )

    def __len__(self) -> int:
        return len(self.table.unit_id)

    def interpretable(self, iou_threshold: float) -> np.ndarray:
        """Which units count at an IoU threshold: strictly above it, and above their null."""
        table = self.table
        beyond_chance = np.isnan(table.null_iou) | (table.iou > table.null_iou)
        return self.countable & beyond_chance & (np.nan_to_num(table.iou) > iou_threshold)

    def shown(self, filters: UnitFilters, interpretable: np.ndarray) -> np.ndarray:
        """Which units meet the filters, (n,) bool."""
        result = self._knows(filters.words)[self.concept_of]
        if filters.categories:
            wanted = np.array([c in filters.categories for c in self.categories], dtype=bool)
            result &= wanted[self.category_of]
        if filters.models:
            chosen = np.array([m in filters.models for m in self.models], dtype=bool)
            if chosen.any():
                result &= chosen[self.model_of]
        if filters.interpretable_only:
            result &= interpretable
        return result

    def found(self, filters: UnitFilters, interpretable: np.ndarray) -> Found:
        """Which models know what is searched for, among the units that the filters leave."""
        matching = self.shown(filters, interpretable) & self.countable
        known = matching & interpretable
        return Found(
            words=filters.words.strip(),
            models=_most_first(self.models, self.model_of[known]),
            concepts=_most_first(self.concepts, self.concept_of[known]),
            weaker=int((matching & ~interpretable).sum()),
            any_concept=bool((self._knows(filters.words) & (self._folded != "")).any()),
        )

    def by_category(self, interpretable: np.ndarray) -> dict[str, int]:
        """Interpretable units of each category of concepts; of the others all units."""
        other = np.array([c in (*NOT_COUNTED, NO_CATEGORY) for c in self.categories], dtype=bool)
        counted = interpretable | other[self.category_of]
        amounts = np.bincount(self.category_of[counted], minlength=len(self.categories))
        return dict(zip(self.categories, amounts.tolist(), strict=True))

    def unique_concepts(self, interpretable: np.ndarray) -> int:
        """Different concepts, by name and category, among interpretable units."""
        return len(np.unique(self._identity()[interpretable]))

    def by_model(self, interpretable: np.ndarray, shown: np.ndarray) -> ModelCounts:
        """What each model has."""
        number, span = len(self.models), len(self.concepts) * max(len(self.categories), 1)
        pairs = np.unique(self.model_of[interpretable] * span + self._identity()[interpretable])
        return ModelCounts(
            units=np.bincount(self.model_of, minlength=number),
            interpretable=np.bincount(self.model_of[interpretable], minlength=number),
            concepts=np.bincount(pairs // max(span, 1), minlength=number),
            shown=np.bincount(self.model_of[shown], minlength=number),
        )

    def _identity(self) -> np.ndarray:
        return self.concept_of * max(len(self.categories), 1) + self.category_of

    def _knows(self, words: str) -> np.ndarray:
        """Which concepts have every word in their name, (concepts,) bool."""
        result = np.ones(len(self.concepts), dtype=bool)
        for word in words.casefold().split():
            result &= np.char.find(self._folded, word) >= 0
        return result


def _texts(values: np.ndarray) -> np.ndarray:
    return np.asarray(values).astype(np.str_)


def _in_order(values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Different texts by first appearance, and the place of each value among them."""
    texts, first, codes = np.unique(_texts(values), return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(texts), dtype=np.int64)
    place[order] = np.arange(len(texts))
    return tuple(texts[order].tolist()), place[codes]


def _joined(values: np.ndarray, groups: np.ndarray, number: int) -> tuple[str, ...]:
    """The different texts of each group."""
    texts, codes = np.unique(values, return_inverse=True)
    pairs = np.unique(groups * max(len(texts), 1) + codes)
    of_group, of_text = np.divmod(pairs, max(len(texts), 1))
    return tuple(", ".join(texts[of_text[of_group == group]].tolist()) for group in range(number))


def _most_first(names: tuple[str, ...], codes: np.ndarray) -> tuple[tuple[str, int], ...]:
    amounts = np.bincount(codes, minlength=len(names))
    order = np.argsort(-amounts, kind="stable")
    return tuple((names[i], int(amounts[i])) for i in order.tolist() if amounts[i])
