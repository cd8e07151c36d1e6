"""One unit of the audit `concepts`: the concepts of a few classes, both ways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.comparison import class_names, grouping_of, kept_rows
from analysis.audits.context import SIDES, RunContext
from analysis.audits.grouping import ClassImages, ImageEntry
from analysis.audits.plan import Results, Unit
from analysis.concepts.contrast import select_patches
from analysis.concepts.extraction import factorize, fit_coefficients
from analysis.concepts.general_importance import general_importance
from analysis.concepts.importance import (
    linear_logit_importance,
    log_probability_importance,
)
from analysis.concepts.matching import mcs
from analysis.concepts.regression import (
    LassoFolds,
    celer_lasso_folds,
    fit_lasso_folds,
    out_of_fold,
    predict,
)
from analysis.concepts.replacement import replacement_test
from analysis.concepts.similarity import concept_similarity
from analysis.concepts.stability import matched_stability
from analysis.devices import algebra_threads
from analysis.images.frames import Frame
from analysis.seeds import derive_seed

if TYPE_CHECKING:
    from analysis.audits.concepts import ConceptsParameters
    from analysis.concepts.extraction import Factorization
    from analysis.concepts.importance import ImportanceResult
    from analysis.models.heads import Head

OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class _ClassData:
    """A class's patches as both models see them.

    `activations[side]`: (images × patches, features); `fit`, `evaluated`: bool by image. In
    cross-fitted evaluation every image is both: it is predicted by a fold that did not see it.
    """

    group: ClassImages
    images: tuple[ImageEntry, ...]
    activations: dict[str, torch.Tensor]
    fit: np.ndarray
    evaluated: np.ndarray
    patches: int

    def rows(self, by_image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.repeat(by_image, self.patches))

    @property
    def image_of_row(self) -> torch.Tensor:
        return torch.arange(len(self.images)).repeat_interleave(self.patches)


@dataclass(frozen=True)
class _Concepts:
    """One model's concepts of a class: coefficients (rows, k), basis (k, features)."""

    coefficients: torch.Tensor
    basis: torch.Tensor
    relative_error: float
    iterations: int
    converged: bool
    method: str
    stability: torch.Tensor | None


def run_class_unit(unit: Unit, context: RunContext) -> Results:
    """Concepts, similarity, importance, replacement and patches of the unit's classes."""
    parameters: ConceptsParameters = context.parameters
    grouping = grouping_of(context, parameters.images_per_class)
    groups = [group for group in grouping.classes if group.name in unit.classes]
    problems = list(grouping.problems) if unit.key == "classes/0" else []
    data = []
    for position, group in enumerate(groups):
        share = 0.8 / len(groups)
        loaded, skipped = _load_class(context, group, position * share, share)
        problems += skipped
        if loaded is not None:
            data.append(loaded)
    if not data:
        return Results(problems=problems)
    context.step(0.8, f"{unit.text}: finding concepts")
    numbers = sum(members.activations[side].numel() for members in data for side in SIDES)
    with algebra_threads(numbers):
        rows, arrays = _compare_classes(context, data)
    return Results(rows=rows, arrays=arrays, problems=problems)


def _compare_classes(
    context: RunContext, data: Sequence[_ClassData]
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    """Rows by table and arrays by name, of all classes of a unit."""
    concepts = {side: _find_concepts(context, data, side) for side in SIDES}
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("concept", "concept_similarity", "replacement", "patch")
    }
    arrays: dict[str, np.ndarray] = {}
    for index, members in enumerate(data):
        context.step(0.9 + 0.1 * index / len(data), f"{members.group.name}: predicting concepts")
        _compare(context, members, {s: concepts[s][index] for s in SIDES}, rows, arrays)
    return rows, arrays


def _load_class(
    context: RunContext, group: ClassImages, start: float, share: float
) -> tuple[_ClassData | None, list[tuple[str, str]]]:
    """Decode a class's images once and pass their patches through both models."""
    parameters: ConceptsParameters = context.parameters
    text = f"{group.name}: reading images"
    loaded = context.load_images(
        group.images,
        parameters.resize,
        parameters.frame,
        context.stepper(start, start + 0.1 * share, text),
    )
    problems = list(loaded.problems)
    if len(loaded.images) < max(parameters.minimum_images, parameters.folds):
        problems.append((group.name, f"Only {len(loaded.images)} images could be read."))
        return None, problems
    activations = {}
    for position, side in enumerate(SIDES):
        low = start + share * (0.1 + 0.45 * position)
        activations[side] = context.features.patch_features(
            context.run.model(side),
            loaded.images,
            loaded.frames,
            parameters.grid(),
            [parameters.layer(side)],
            context.stepper(
                low, low + 0.45 * share, f"{group.name}: activations of {context.run.model(side)}"
            ),
        )[parameters.layer(side)]
    fit, evaluated = _split(parameters, len(loaded.images))
    patches = len(activations["a"]) // len(loaded.images)
    return _ClassData(group, loaded.images, activations, fit, evaluated, patches), problems


def _split(parameters: ConceptsParameters, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images are fitted and which evaluated; the images are in a seeded order already."""
    if parameters.evaluation == "cross-fitted":
        everything = np.ones(count, dtype=bool)
        return everything, everything
    kept_aside = min(max(2, round(count * parameters.held_out)), count - parameters.folds)
    evaluated = np.arange(count) >= count - kept_aside
    return ~evaluated, evaluated


def _find_concepts(context: RunContext, data: Sequence[_ClassData], side: str) -> list[_Concepts]:
    """Factorise the activations of all classes of a unit at once (paper, Sec. 3.1)."""
    parameters: ConceptsParameters = context.parameters
    drawn = []
    for members in data:
        wanted = members.group.drawn_from(side)
        fitted = np.repeat(members.fit, members.patches)
        rows = kept_rows(members.images, wanted, members.patches) & fitted
        drawn.append(members.activations[side][torch.from_numpy(rows)])
    padded = torch.nn.utils.rnn.pad_sequence(drawn, batch_first=True)
    names = [members.group.name for members in data]
    # The same start for both sides: a model compared with itself gives the same concepts.
    seeds = [derive_seed(parameters.seed, "concepts", name) for name in names]
    found = factorize(padded, parameters.components, seeds=seeds, preset=parameters.preset)
    again = [
        factorize(
            padded,
            parameters.components,
            seeds=[derive_seed(seed, "stability", repeat) for seed in seeds],
            initial="random",
            preset=parameters.preset,
        )
        for repeat in range(parameters.stability_seeds)
    ]
    context.progress.check_cancelled()
    return [
        _class_concepts(members.activations[side], found, again, index, len(drawn[index]))
        for index, members in enumerate(data)
    ]


def _class_concepts(
    activations: torch.Tensor,
    found: Factorization,
    again: Sequence[Factorization],
    index: int,
    rows: int,
) -> _Concepts:
    """One class's concepts, with coefficients for all its patches (paper, Eq. 5)."""
    stability = None
    if again:
        stability = matched_stability(
            found.coefficients[index, :rows],
            [other.coefficients[index, :rows] for other in again],
        )
    coefficients = fit_coefficients(activations[None], found.basis[index][None])[0]
    return _Concepts(
        coefficients=coefficients,
        basis=found.basis[index],
        relative_error=float(found.relative_error[index]),
        iterations=int(found.iterations[index]),
        converged=bool(found.converged[index]),
        method=found.method,
        stability=stability,
    )


def _compare(
    context: RunContext,
    data: _ClassData,
    concepts: dict[str, _Concepts],
    rows: dict[str, list[dict[str, Any]]],
    arrays: dict[str, np.ndarray],
) -> None:
    """Predict each model's concepts from both models' activations, and write down all of it."""
    parameters: ConceptsParameters = context.parameters
    evaluated = data.rows(data.evaluated)
    targets = torch.cat([concepts[side].coefficients for side in SIDES], 1)
    predictions, nonzero = {}, {}
    for side in SIDES:
        predictions[side], folds = _predict_all(parameters, data, side, targets)
        nonzero[side] = folds.nonzero
        context.progress.check_cancelled()
    count = parameters.components
    columns = {"a": slice(0, count), "b": slice(count, 2 * count)}
    best_matches = dict(
        zip(
            SIDES,
            mcs(*(concepts[side].coefficients[evaluated] for side in SIDES)),
            strict=True,
        )
    )
    name = data.group.name
    images = np.array([image.id for image in data.images], dtype=np.int64)
    boxes = _boxes(parameters, data.images)
    chosen = data.evaluated
    arrays[f"class/{name}/image"] = np.repeat(images[chosen], data.patches)
    arrays[f"class/{name}/box"] = boxes[chosen].reshape(-1, 4).astype(np.int32)
    for side in SIDES:
        real = concepts[side].coefficients[evaluated]
        own = predictions[side][:, columns[side]]
        cross = predictions[OTHER[side]][:, columns[side]]
        arrays[f"class/{name}/{side}/real"] = _numpy(real)
        arrays[f"class/{name}/{side}/predicted"] = _numpy(cross)
        similarity = concept_similarity(
            _by_image(cross, data.patches),
            _by_image(real, data.patches),
            replicates=parameters.replicates,
            permutations=parameters.permutations,
            seed=derive_seed(parameters.seed, "similarity", side, name),
        )
        own_similarity = concept_similarity(
            _by_image(own, data.patches), _by_image(real, data.patches)
        )
        head = None
        if parameters.layer(side) == "penultimate":
            head = context.features.head(context.run.model(side))
        common = {
            "side": side,
            "class": name,
            "target_model": context.run.model(side),
            "predictor_model": context.run.model(OTHER[side]),
        }
        rows["concept"] += _concept_rows(context, data, concepts[side], head, side)
        rows["concept_similarity"] += _table_rows(
            common,
            cmcs_pearson=similarity.pearson,
            cmcs_spearman=similarity.spearman,
            ci_low=similarity.ci_low,
            ci_high=similarity.ci_high,
            null_95=similarity.null_95,
            smcs_pearson=own_similarity.pearson,
            smcs_spearman=own_similarity.spearman,
            mcs_pearson=best_matches[side].pearson,
            mcs_spearman=best_matches[side].spearman,
            nonzero_weights=nonzero[OTHER[side]][columns[side]],
            n_images=int(chosen.sum()),
        )
        replaced = replacement_test(
            real, own, cross, concepts[side].basis, head, preset=parameters.preset
        )
        rows["replacement"] += _table_rows(
            common,
            delta_pearson=own_similarity.pearson - similarity.pearson,
            l2=replaced.l2,
            kl=replaced.kl,
            match_accuracy=replaced.match_accuracy,
        )
        rows["patch"] += _patch_rows(
            common, parameters, real.cpu(), cross.cpu(), images[chosen], boxes[chosen]
        )


def _predict_all(
    parameters: ConceptsParameters, data: _ClassData, side: str, targets: torch.Tensor
) -> tuple[torch.Tensor, LassoFolds]:
    """Coefficients of both models' concepts, predicted from one model's activations.

    :returns: predictions of the evaluated patches (rows, concepts of A then of B), and the fit.
    """
    fit, evaluated = data.rows(data.fit), data.rows(data.evaluated)
    activations, images = data.activations[side], data.image_of_row
    solve = celer_lasso_folds if parameters.solver == "celer" else fit_lasso_folds
    folds = solve(
        activations[fit],
        targets[fit],
        images[fit],
        alpha=parameters.penalty,
        folds=parameters.folds,
    )
    if parameters.evaluation == "cross-fitted":
        return out_of_fold(activations, folds, images), folds
    return predict(activations[evaluated], folds), folds


def _concept_rows(
    context: RunContext, data: _ClassData, concepts: _Concepts, head: Head | None, side: str
) -> list[dict[str, Any]]:
    importance = None if head is None else _importance(context, data, concepts, head, side)
    return _table_rows(
        {
            "side": side,
            "model": context.run.model(side),
            "layer": context.parameters.layer(side),
            "class": data.group.name,
            "method": concepts.method,
        },
        importance=None if importance is None else importance.importance,
        importance_signed=None if importance is None else importance.signed,
        importance_residual=None if importance is None else importance.completeness_residual,
        reconstruction_error=concepts.relative_error,
        converged=int(concepts.converged),
        iterations=concepts.iterations,
        stability=concepts.stability,
        count=len(concepts.basis),
    )


def _importance(
    context: RunContext, data: _ClassData, concepts: _Concepts, head: Head, side: str
) -> ImportanceResult:
    """Importance for the class where the model knows it, else for what each patch is taken for.

    A folder named “mammal” is no output of an ImageNet model: its concepts then matter for the
    class the model itself sees in each patch.
    """
    parameters: ConceptsParameters = context.parameters
    wanted = data.rows(data.fit)
    coefficients = concepts.coefficients[wanted]
    names = class_names(context, context.run.model(side))
    if data.group.name in names:
        target: Any = names.index(data.group.name)
    else:
        activations = data.activations[side][wanted]
        with torch.inference_mode():
            target = head.logits(activations).argmax(1)
    wants_logit = parameters.importance == "logit" or (
        parameters.importance == "automatic" and parameters.preset == "paper"
    )
    weight = head.weight if head.is_linear else None
    if weight is not None and wants_logit:
        return linear_logit_importance(coefficients, concepts.basis, weight, head.bias, target)
    if weight is not None:
        return log_probability_importance(
            coefficients,
            concepts.basis,
            weight,
            head.bias,
            target,
            preset=parameters.preset,
        )
    return general_importance(
        coefficients, concepts.basis, head.logits, target, preset=parameters.preset
    )


def _boxes(parameters: ConceptsParameters, images: Sequence[ImageEntry]) -> np.ndarray:
    """Every patch in pixels of its original image: (images, patches, 4)."""
    frame = Frame(parameters.resize, parameters.frame)
    grid = parameters.grid().boxes(parameters.frame)
    return np.stack([frame.to_original(grid, image.width, image.height) for image in images])


def _patch_rows(
    common: dict[str, Any],
    parameters: ConceptsParameters,
    real: torch.Tensor,
    predicted: torch.Tensor,
    images: np.ndarray,
    boxes: np.ndarray,
) -> list[dict[str, Any]]:
    """The three patch grids of each concept (paper, Sec. 3.4)."""
    patches = len(real) // len(images)
    position = torch.arange(len(images)).repeat_interleave(patches)
    flat_boxes = boxes.reshape(-1, 4)
    rows = []
    for concept in range(real.shape[1]):
        selected = select_patches(
            real[:, concept],
            predicted[:, concept],
            position,
            count=parameters.patches,
            preset=parameters.preset,
        )
        for kind, indices in (
            ("top", selected.top),
            ("under", selected.under),
            ("over", selected.over),
        ):
            for rank, row in enumerate(indices.tolist()):
                x, y, width, height = flat_boxes[row].tolist()
                rows.append(
                    {
                        **common,
                        "concept": concept,
                        "kind": kind,
                        "rank": rank,
                        "image": int(images[int(position[row])]),
                        "x": x,
                        "y": y,
                        "width": width,
                        "height": height,
                        "coefficient": float(real[row, concept]),
                        "predicted": float(predicted[row, concept]),
                    }
                )
    return rows


def _table_rows(
    common: dict[str, Any], *, count: int | None = None, **columns: Any
) -> list[dict[str, Any]]:
    """One row a concept, from columns with one entry a concept or one value for all."""
    lists = {
        name: values.detach().cpu().tolist() if isinstance(values, torch.Tensor) else values
        for name, values in columns.items()
    }
    if count is None:
        count = next(len(values) for values in lists.values() if isinstance(values, list))
    rows = []
    for concept in range(count):
        row = {**common, "concept": concept}
        for name, values in lists.items():
            row[name] = _known(values[concept] if isinstance(values, list) else values)
        rows.append(row)
    return rows


def _known(value: Any) -> Any:
    """NULL stands for a number that does not exist."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _by_image(values: torch.Tensor, patches: int) -> torch.Tensor:
    return values.reshape(-1, patches, values.shape[1])


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.detach().float().cpu().numpy()
