"""Which maps of a run stand side by side in a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AuditError
from analysis.figures.saliency_data import Cell, MethodInfo, SaliencyIndex, SaliencyMap
from analysis.figures.saliency_readers import saliency_maps
from analysis.figures.saliency_words import NULL

if TYPE_CHECKING:
    from analysis.project import Project

GRIDS = ("methods", "models", "image")


@dataclass(frozen=True)
class MapGrid:
    """Maps in rows and columns.

    `kind`: methods × images of one model, models × images by one method, or models × methods of
    one image. `common`: what all cells share. `cells`: of each row, its columns; None where the run
    has no map. `pictures`: the image of each column, of a single image that one alone.
    """

    kind: str
    common: str
    row_titles: tuple[str, ...]
    row_notes: tuple[str, ...]
    column_titles: tuple[str, ...]
    pictures: tuple[int, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    maps: Mapping[Cell, SaliencyMap]
    index: SaliencyIndex


def read_grid(
    project: Project,
    index: SaliencyIndex,
    kind: str,
    images: Sequence[int],
    amount: int,
    models: Sequence[str],
    methods: Sequence[str],
) -> MapGrid:
    """A grid of a run's maps.

    :param index: what the run holds, or the part of it that may be shown.
    :param kind: one of `GRIDS`.
    :param images: ids; none: `amount` of them, of as many labels as there are.
    :param models, methods: names and labels; none: all (of one model or one method, the first).
    Raises AuditError for an unknown run, image, model or method, and where there is no such map.
    """
    run = index.run

    def read(cells: Sequence[Cell]) -> Mapping[Cell, SaliencyMap]:
        return saliency_maps(project, run, cells)

    return lay_out(index, read, kind, images, amount, models, methods, f"Run {run}")


def lay_out(
    index: SaliencyIndex,
    read: Callable[[Sequence[Cell]], Mapping[Cell, SaliencyMap]],
    kind: str,
    images: Sequence[int],
    amount: int,
    models: Sequence[str],
    methods: Sequence[str],
    holder: str,
) -> MapGrid:
    """As `read_grid`, of maps that `read` gives.

    :param holder: what has the maps, as errors begin.
    """
    names = chosen(models, index.models, f"{holder} has no maps by the model")
    labels = tuple(method.label for method in index.methods)
    wanted = chosen(methods, labels, f"{holder} has no method")
    if kind == "methods":
        names = names[:1]
    if kind == "models" and not methods:
        wanted = _shared_method(index, names)
    if kind == "models":
        wanted = wanted[:1]
    if kind == "methods" and not methods:
        wanted = _measured_methods(index, names, wanted)
    if kind == "models" and not models:
        names = tuple(name for name in names if _measured_methods(index, (name,), wanted))
    ids = _chosen_images(index, images, 1 if kind == "image" else amount, names, wanted)
    lines = _lines(index, kind, names, wanted, ids) if ids else ()
    maps = read([cell for line in lines for cell in line if cell])
    if not maps:
        raise AuditError(
            f"{holder} has no map of this choice.", "Choose other images, models or methods."
        )
    titles = {method.label: method.title for method in index.methods}
    row_keys = wanted if kind == "methods" else names
    return MapGrid(
        kind=kind,
        common=_common(index, kind, names, wanted, ids, titles),
        row_titles=tuple(titles.get(key, key) for key in row_keys),
        row_notes=tuple(_note(index, kind, key, names, wanted) for key in row_keys),
        column_titles=_column_titles(index, kind, wanted, ids, titles),
        pictures=ids,
        cells=lines,
        maps=maps,
        index=index,
    )


def chosen(asked: Sequence[str], known: Sequence[str], refusal: str) -> tuple[str, ...]:
    """What is asked for, or everything. Raises AuditError for something that is not known."""
    for name in asked:
        if name not in known:
            raise AuditError(f"{refusal} “{name}”.", f"It has {', '.join(known) or 'none'}.")
    return tuple(dict.fromkeys(asked)) or tuple(known)


def _shared_method(index: SaliencyIndex, models: Sequence[str]) -> tuple[str, ...]:
    """The method by which most of the models have maps; the first of several, no null map."""
    rows = [index.models.index(name) for name in models]
    by = index.available[:, rows].any(axis=0).sum(axis=0)
    by = by - np.array([0.5 * len(rows) * (method.kind == NULL) for method in index.methods])
    return (index.methods[int(np.argmax(by))].label,)


def _measured_methods(
    index: SaliencyIndex, models: Sequence[str], methods: Sequence[str]
) -> tuple[str, ...]:
    """Those methods by which one of the models has a map."""
    labels = [method.label for method in index.methods]
    rows = [index.models.index(name) for name in models]
    there = np.asarray(index.available[:, rows].any(axis=(0, 1)))
    return tuple(label for label in methods if there[labels.index(label)])


def _chosen_images(
    index: SaliencyIndex,
    asked: Sequence[int],
    amount: int,
    models: Sequence[str],
    methods: Sequence[str],
) -> tuple[int, ...]:
    known = index.images.tolist()
    for image in asked:
        if image not in known:
            raise AuditError(
                f"Run {index.run} has no maps of image {image}.",
                "The table `saliency` lists the images of all maps.",
            )
    if asked:
        return tuple(dict.fromkeys(asked))
    labels = [method.label for method in index.methods]
    rows = [index.models.index(name) for name in models]
    columns = [labels.index(name) for name in methods]
    there = np.asarray(index.available[:, rows][:, :, columns].any(axis=(1, 2)))
    return tuple(known[place] for place in _spread(index.image_labels, there, amount))


def _spread(labels: Sequence[str], possible: np.ndarray, amount: int) -> list[int]:
    """Places of at most `amount` images: the first of each label, then the second of each, …"""
    seen: dict[str, int] = {}
    order = []
    for place in np.flatnonzero(possible).tolist():
        turn = seen.get(labels[place], 0)
        seen[labels[place]] = turn + 1
        order.append((turn, place))
    return sorted(place for _, place in sorted(order)[:amount])


def _lines(
    index: SaliencyIndex,
    kind: str,
    models: Sequence[str],
    methods: Sequence[str],
    images: Sequence[int],
) -> tuple[tuple[Cell | None, ...], ...]:
    place = {image: at for at, image in enumerate(index.images.tolist())}
    model_at = {name: at for at, name in enumerate(index.models)}
    method_at = {method.label: at for at, method in enumerate(index.methods)}

    def cell(image: int, model: str, method: str) -> Cell | None:
        there = index.available[place[image], model_at[model], method_at[method]]
        return Cell(image, model, method) if there else None

    if kind == "methods":
        return tuple(tuple(cell(i, models[0], m) for i in images) for m in methods)
    if kind == "models":
        return tuple(tuple(cell(i, name, methods[0]) for i in images) for name in models)
    return tuple(tuple(cell(images[0], name, m) for m in methods) for name in models)


def _common(
    index: SaliencyIndex,
    kind: str,
    models: Sequence[str],
    methods: Sequence[str],
    images: Sequence[int],
    titles: Mapping[str, str],
) -> str:
    if kind == "methods":
        return models[0] if models else ""
    if kind == "models":
        return titles[methods[0]] if methods else ""
    return image_name(index, images[0]) if images else ""


def image_name(index: SaliencyIndex, image: int) -> str:
    """The label of an image and its file's name."""
    place = index.images.tolist().index(image)
    name = index.image_names[place].rpartition("/")[2]
    label = index.image_labels[place]
    return f"{label}: {name}" if label else name


def _column_titles(
    index: SaliencyIndex,
    kind: str,
    methods: Sequence[str],
    images: Sequence[int],
    titles: Mapping[str, str],
) -> tuple[str, ...]:
    if kind == "image":
        return tuple(titles[label] for label in methods)
    places = [index.images.tolist().index(image) for image in images]
    return tuple(
        index.image_labels[place] or index.image_names[place].rpartition("/")[2] for place in places
    )


def _note(
    index: SaliencyIndex, kind: str, key: str, models: Sequence[str], methods: Sequence[str]
) -> str:
    """The layer that the maps of a row were taken at, where they share one."""
    if kind == "methods":
        return index.layers.get((models[0], key), "") if models else ""
    return index.layers.get((key, methods[0]), "") if kind == "models" and methods else ""


def method_named(methods: Sequence[MethodInfo], text: str) -> str:
    """The label of the method that a user names by label or title; the text itself if none is."""
    wanted = text.strip().casefold()
    for method in methods:
        if wanted in (method.label.casefold(), method.title.casefold()):
            return method.label
    return text.strip()
