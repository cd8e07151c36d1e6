"""Which layers, concepts, thresholds and images of a semantics run a figure shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import parameter_number, run_parameters
from analysis.figures.readers import run_row
from analysis.figures.semantics_data import (
    DepthLayer,
    MaskSimilarityMatrix,
    ProjectedMasks,
    SemanticsIndex,
)
from analysis.figures.semantics_masks import mask_similarity, projected_masks
from analysis.figures.semantics_words import threshold_text

if TYPE_CHECKING:
    from analysis.project import Project

USUAL_THRESHOLD = 0.5
_SIDE, _LEAST_SIDE, _MOST_SIDE = 56, 4, 448  # of the grid that masks are compared on


@dataclass(frozen=True)
class MaskPairs:
    """UCS of two layers, the threshold that is looked at, and pairs of concepts by their places."""

    index: SemanticsIndex
    matrix: MaskSimilarityMatrix
    threshold: int
    pairs: tuple[tuple[int, int], ...]

    @property
    def threshold_value(self) -> float:
        """The threshold itself."""
        return float(self.matrix.thresholds[self.threshold])


@dataclass(frozen=True)
class MaskPictures:
    """Masks of a pair of concepts over images, with the share that both have in common in each."""

    index: SemanticsIndex
    masks: ProjectedMasks
    threshold: float
    agreement: np.ndarray  # of the shown images: IoU, NaN where neither has a mask
    mean: float  # of all images
    n: int  # images of the mean
    names: tuple[str, ...]
    ranked: bool  # from most to least alike


def layer_named(
    layers: Sequence[DepthLayer], name: str, run: int, model: str, *, deepest: bool = True
) -> str:
    """The layer of this name; of no name the deepest.

    Raises AuditError for one that is not among them, or where there is none.
    """
    names = [layer.name for layer in layers]
    if name and name not in names:
        raise AuditError(
            f"Run {run} has nothing of the layer “{name}” of {model}.",
            f"Its layers are {', '.join(names) or 'none'}.",
        )
    if not names:
        raise AuditError(
            f"Run {run} has nothing of this kind of {model}.", "Let it go on, or choose another."
        )
    return name or names[-1 if deepest else 0]


def compared_layers(
    project: Project, index: SemanticsIndex, layer_a: str, layer_b: str
) -> MaskSimilarityMatrix:
    """UCS of two layers, by name or the deepest that were compared.

    Raises AuditError where they were not compared.
    """
    rows = project.rows(
        "SELECT DISTINCT layer_a, layer_b FROM mask_similarity"
        " WHERE run = ? AND model_a = ? AND model_b = ?",
        (index.run, *index.models),
    )
    compared = {(row[0], row[1]) for row in rows}
    candidates = [
        (a.name, b.name)
        for a in index.mask_layers[0]
        for b in index.mask_layers[1]
        if (a.name, b.name) in compared and layer_a in ("", a.name) and layer_b in ("", b.name)
    ]
    if not candidates:
        for side, name in enumerate((layer_a, layer_b)):
            layer_named(index.mask_layers[side], name, index.run, index.models[side])
        raise AuditError(
            f"Run {index.run} has not compared the masks of these layers.",
            "Choose other layers, or let the run go on.",
        )
    matrix = mask_similarity(project, index.run, *candidates[-1])
    if matrix.ucs.size == 0:
        raise AuditError(f"Run {index.run} has no UCS of these layers.", "Choose other layers.")
    return matrix


def threshold_place(matrix: MaskSimilarityMatrix, wanted: float) -> int:
    """The place of a threshold; of 0 that of the usual one, or the nearest to it.

    Raises AuditError for one that was not measured.
    """
    known = matrix.thresholds
    place = int(np.argmin(np.abs(known - (wanted or USUAL_THRESHOLD))))
    if wanted and not np.isclose(known[place], wanted):
        raise AuditError(
            f"Run {matrix.run} has no UCS at the threshold {wanted:g}.",
            f"Its thresholds are {', '.join(map(threshold_text, known.tolist()))}.",
        )
    return place


def best_pairs(matrix: MaskSimilarityMatrix, threshold: int) -> tuple[tuple[int, int], ...]:
    """Places of the matched pairs at a threshold, the most alike first."""
    pairs = np.argwhere(matrix.matched[threshold])
    values = matrix.ucs[threshold][matrix.matched[threshold]]
    order = np.argsort(-values, kind="stable")
    return tuple((int(a), int(b)) for a, b in pairs[order])


def pair_of(
    matrix: MaskSimilarityMatrix, threshold: int, concept_a: int, concept_b: int
) -> tuple[int, int]:
    """Places of two concepts by their numbers; −1 stands for the best match of the other, of both
    for the pair that is most alike.

    Raises AuditError for a concept that there is not, or one without a match.
    """
    places = []
    for number, concepts in ((concept_a, matrix.concepts_a), (concept_b, matrix.concepts_b)):
        numbers = [one.number for one in concepts]
        if number >= 0 and number not in numbers:
            raise AuditError(
                f"The layer has no concept {number}.",
                f"Its concepts are {', '.join(map(str, numbers))}.",
            )
        places.append(numbers.index(number) if number >= 0 else -1)
    if min(places) >= 0:
        return places[0], places[1]
    for pair in best_pairs(matrix, threshold):
        if all(place in (-1, own) for place, own in zip(places, pair, strict=True)):
            return pair
    raise AuditError("These layers have no matched pair of concepts here.", "Name both concepts.")


def masks_agree(
    values_a: np.ndarray, values_b: np.ndarray, threshold: float, side: int = _SIDE
) -> np.ndarray:
    """The IoU of two concepts' masks in each image: (images,), NaN where neither has a mask.

    Enlarged bilinearly to one size before the threshold.

    :param values_a, values_b: (images, rows, columns) 0…1, each at its own resolution.
    :param side: of the grid that both are enlarged to.
    """
    from analysis.faithfulness.steps import enlarge

    found = np.full(len(values_a), np.nan)
    for place, pair in enumerate(zip(values_a, values_b, strict=True)):
        first, second = (enlarge(values, side, side) > threshold for values in pair)
        union = int((first | second).sum())
        if union:
            found[place] = (first & second).sum() / union
    return found


def grid_side(project: Project, run: int) -> int:
    """The side of the grid that a run compared masks on; the usual one where it does not say."""
    side = parameter_number(run_parameters(run_row(project, run)), "mask_side")
    return int(side) if _LEAST_SIDE <= side <= _MOST_SIDE else _SIDE


def spread_by_rank(agreement: np.ndarray, amount: int) -> np.ndarray:
    """Places of `amount` images from the most to the least alike, evenly by rank; those without a
    mask only where the others do not suffice."""
    known = np.flatnonzero(np.isfinite(agreement))
    order = known[np.argsort(-agreement[known], kind="stable")]
    if len(order) >= amount:
        return np.asarray(order[np.rint(np.linspace(0, len(order) - 1, amount)).astype(int)])
    rest = np.flatnonzero(~np.isfinite(agreement))[: amount - len(order)]
    return np.concatenate([order, rest])


def mask_pictures(
    project: Project,
    index: SemanticsIndex,
    matrix: MaskSimilarityMatrix,
    pair: tuple[int, int],
    threshold: float,
    amount: int,
    image: int = 0,
) -> MaskPictures:
    """The masks of a pair of concepts, given by its places, over `amount` images, or over one.

    Raises AuditError where the run keeps no masks of them.
    """
    place = {number: at for at, number in enumerate(index.images.tolist())}
    if image and image not in place:
        raise AuditError(f"Run {index.run} has no masks of image {image}.", "Choose another image.")
    if not place:
        raise AuditError(f"Run {index.run} keeps no masks.", "Choose another run.")
    whole = projected_masks(
        project,
        index.run,
        matrix.layer_a,
        matrix.concepts_a[pair[0]].number,
        matrix.layer_b,
        matrix.concepts_b[pair[1]].number,
        index.images.tolist(),
    )
    agreement = masks_agree(
        whole.values_a, whole.values_b, threshold, grid_side(project, index.run)
    )
    rows = np.array([place[image]]) if image else spread_by_rank(agreement, amount)
    known = agreement[np.isfinite(agreement)]
    return MaskPictures(
        index=index,
        masks=ProjectedMasks(
            run=whole.run,
            layer_a=whole.layer_a,
            concept_a=whole.concept_a,
            layer_b=whole.layer_b,
            concept_b=whole.concept_b,
            images=whole.images[rows],
            regions=tuple(whole.regions[row] for row in rows.tolist()),
            values_a=whole.values_a[rows],
            values_b=whole.values_b[rows],
        ),
        threshold=threshold,
        agreement=agreement[rows],
        mean=float(known.mean()) if len(known) else float("nan"),
        n=len(known),
        names=tuple(index.image_names[row] for row in rows.tolist()),
        ranked=not image,
    )
