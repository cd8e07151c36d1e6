"""What stands in the rows and columns of the grid of saliency maps, in each of its arrangements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.figures.saliency_data import Cell, MethodInfo, SaliencyIndex

MODELS_IMAGES = "models × images"
METHODS_IMAGES = "methods × images"
MODELS_METHODS = "models × methods"
ARRANGEMENTS = (MODELS_IMAGES, METHODS_IMAGES, MODELS_METHODS)

NULL_KIND = "null"
KIND_WORDS = {
    "cam": "class activation",
    "attention": "attention",
    "relevance": "relevance",
    NULL_KIND: "chance",
}
NOT_THERE = "not computed"


@dataclass(frozen=True)
class Head:
    """The head of a row or column: a name and a line of the second rank."""

    title: str
    second: str = ""
    hint: str = ""
    chance: bool = False  # a null map: it knows nothing of the model


@dataclass(frozen=True)
class Chosen:
    """What each axis that is not in the grid is held at."""

    image: int | None
    model: str
    method: str


class Places:
    """Where models, methods and images stand in an index."""

    def __init__(self, index: SaliencyIndex) -> None:
        self.index = index
        self.models = {model: place for place, model in enumerate(index.models)}
        self.methods = {method.label: place for place, method in enumerate(index.methods)}
        self.images = {image: place for place, image in enumerate(index.images.tolist())}
        self._reasons = {(model, title): reason for model, title, reason in index.refused}

    def method(self, label: str) -> MethodInfo | None:
        """A method by its label."""
        place = self.methods.get(label)
        return None if place is None else self.index.methods[place]

    def title(self, label: str) -> str:
        """What people call a method."""
        method = self.method(label)
        return label if method is None else method.title

    def image_name(self, image: int) -> str:
        """What people call an image."""
        place = self.images.get(image)
        return f"image {image}" if place is None else self.index.image_names[place]

    def image_label(self, image: int) -> str:
        """An image's label, empty without one."""
        place = self.images.get(image)
        return "" if place is None else self.index.image_labels[place]

    def layer(self, model: str, label: str) -> str:
        """The layer that a map was taken from, empty where there is none."""
        return self.index.layers.get((model, label), "")

    def has(self, cell: Cell) -> bool:
        """Whether the run holds this map."""
        image, model = self.images.get(cell.image), self.models.get(cell.model)
        method = self.methods.get(cell.method)
        if image is None or model is None or method is None:
            return False
        return bool(self.index.available[image, model, method])

    def knows(self, cell: Cell) -> bool:
        """Whether image, model and method are those of the run."""
        return (
            cell.image in self.images and cell.model in self.models and cell.method in self.methods
        )

    def reason(self, cell: Cell) -> str:
        """Why a map does not exist."""
        refused = self._reasons.get((cell.model, self.title(cell.method)))
        return refused or self._reasons.get((cell.model, cell.method)) or NOT_THERE

    def is_refused(self, model: str, label: str) -> bool:
        """Whether a method does not apply to a model at all."""
        refused = (model, self.title(label)) in self._reasons or (model, label) in self._reasons
        if not refused:
            return False
        return not self.index.available[:, self.models[model], self.methods[label]].any()


class GridPlan:
    """Rows and columns of one arrangement."""

    def __init__(self, places: Places, arrangement: str, chosen: Chosen) -> None:
        if arrangement not in ARRANGEMENTS:
            raise ValueError(f"no arrangement {arrangement!r}: one of {', '.join(ARRANGEMENTS)}")
        self.places, self.arrangement, self.chosen = places, arrangement, chosen
        index = places.index
        self.left_out: tuple[str, ...] = ()
        self.rows: tuple[str, ...] = index.models
        self.columns: tuple[str, ...] | tuple[int, ...] = tuple(index.images.tolist())
        if arrangement == METHODS_IMAGES:
            labels = [method.label for method in index.methods]
            refused = [label for label in labels if places.is_refused(chosen.model, label)]
            self.left_out = tuple(refused)
            self.rows = tuple(label for label in labels if label not in set(refused))
        elif arrangement == MODELS_METHODS:
            self.columns = tuple(method.label for method in index.methods)

    @cached_property
    def _row_of(self) -> Mapping[str, int]:
        return {key: place for place, key in enumerate(self.rows)}

    @cached_property
    def _column_of(self) -> Mapping[object, int]:
        return {key: place for place, key in enumerate(self.columns)}

    def cell(self, row: int, column: int) -> Cell | None:
        """The map in a row and column, None outside of the grid."""
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.columns)):
            return None
        across = self.columns[column]
        if self.arrangement == MODELS_IMAGES:
            return Cell(int(across), self.rows[row], self.chosen.method)
        if self.arrangement == METHODS_IMAGES:
            return Cell(int(across), self.chosen.model, self.rows[row])
        if self.chosen.image is None:
            return None
        return Cell(self.chosen.image, self.rows[row], str(across))

    def place(self, cell: Cell) -> tuple[int, int] | None:
        """Row and column of a map, None where the grid does not show it."""
        down = cell.method if self.arrangement == METHODS_IMAGES else cell.model
        across = cell.method if self.arrangement == MODELS_METHODS else cell.image
        row, column = self._row_of.get(down), self._column_of.get(across)
        if row is None or column is None or self.cell(row, column) != cell:
            return None
        return row, column

    def row_head(self, row: int) -> Head:
        """The head of a row."""
        key = self.rows[row]
        if self.arrangement == METHODS_IMAGES:
            return self._method_head(key, self.places.layer(self.chosen.model, key))
        if self.arrangement == MODELS_IMAGES:
            layer = self.places.layer(key, self.chosen.method)
        else:
            layer = self._common_layer(key)
        return Head(key, layer, "\n".join(part for part in (key, layer) if part))

    def column_head(self, column: int) -> Head:
        """The head of a column."""
        key = self.columns[column]
        if self.arrangement == MODELS_METHODS:
            return self._method_head(str(key), "")
        name, label = self.places.image_name(int(key)), self.places.image_label(int(key))
        short = name.replace("\\", "/").rsplit("/", 1)[-1]
        return Head(short, label, f"{name}\nlabel {label}" if label else name)

    def _method_head(self, label: str, layer: str) -> Head:
        method = self.places.method(label)
        if method is None:
            return Head(label, layer, label)
        kind = KIND_WORDS.get(method.kind, method.kind)
        hint = f"{method.title}\n{method.description}"
        return Head(method.title, layer or kind, hint, method.kind == NULL_KIND)

    def _common_layer(self, model: str) -> str:
        """The layer of a model where all its methods look at the same one."""
        index = self.places.index
        there = np.any(index.available[:, self.places.models[model], :], axis=0)
        found = {
            self.places.layer(model, method.label)
            for place, method in enumerate(index.methods)
            if there[place] and method.kind != NULL_KIND
        }
        return found.pop() if len(found) == 1 else ""


def first_choice(places: Places) -> Chosen:
    """What to show first: the first image, and the first model and method that have a map."""
    index = places.index
    there = np.argwhere(index.available.any(axis=0))
    model, method = there[0].tolist() if len(there) else (0, 0)
    return Chosen(
        int(index.images[0]) if len(index.images) else None,
        index.models[model] if index.models else "",
        index.methods[method].label if index.methods else "",
    )


def kept_choice(places: Places, chosen: Chosen) -> Chosen:
    """The same choice where the index has it, the first one elsewhere."""
    first = first_choice(places)
    model = chosen.model if chosen.model in places.models else first.model
    method = chosen.method if chosen.method in places.methods else first.method
    image = chosen.image if chosen.image in places.images else first.image
    return Chosen(image, model, method)


def held(arrangement: str, chosen: Chosen) -> int | str | None:
    """What the grid as a whole is held at."""
    if arrangement == METHODS_IMAGES:
        return chosen.model
    return chosen.image if arrangement == MODELS_METHODS else chosen.method


def first_pair(places: Places, chosen: Chosen, pair: Sequence[str] = ()) -> tuple[Cell, ...]:
    """The chosen image's maps by the chosen method: of the pair, else of the first two models that
    have one."""
    if chosen.image is None:
        return ()
    cells = [Cell(chosen.image, model, chosen.method) for model in places.index.models]
    there = {cell.model: cell for cell in cells if places.has(cell)}
    if len(pair) == 2 and set(pair) <= there.keys():
        return tuple(there[model] for model in pair)
    return tuple(there.values())[:2]
