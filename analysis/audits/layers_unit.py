"""One unit of the audit `layers`: similarity of all pairs of layers for a few classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.audits.comparison import grouping_of, kept_rows
from analysis.audits.context import SIDES, RunContext
from analysis.audits.grouping import ClassImages
from analysis.audits.layers import PER_CLASS, chosen_layers
from analysis.audits.plan import Results, Unit
from analysis.concepts.extraction import factorize, fit_coefficients
from analysis.concepts.matching import layer_mmcs
from analysis.devices import algebra_threads
from analysis.seeds import derive_seed
from analysis.statistics.cka import cka_matrix
from analysis.statistics.representations import procrustes_matrix, rsa_matrix

if TYPE_CHECKING:
    from analysis.audits.layers import LayersParameters


def run_class_unit(unit: Unit, context: RunContext) -> Results:
    """All measures of every pair of layers, for each of the unit's classes."""
    parameters: LayersParameters = context.parameters
    grouping = grouping_of(context, parameters.images_per_class)
    groups = [group for group in grouping.classes if group.name in unit.classes]
    problems = list(grouping.problems) if unit.key == "classes/0" else []
    found = []
    for position, group in enumerate(groups):
        found_here, skipped = _compare_class(
            context, group, position / len(groups), 1 / len(groups)
        )
        problems += skipped
        if found_here is not None:
            found.append(found_here)
    if not found:
        return Results(problems=problems)
    arrays = {
        name: np.stack([values[name] for values in found]).astype(np.float32) for name in PER_CLASS
    }
    counted = np.isfinite(arrays["pearson"])
    arrays["counted"] = counted.sum(0).astype(np.int64)
    for name in ("replicates", "permuted"):
        draws = np.stack([values[name] for values in found])
        arrays[name] = np.where(counted[:, None], draws, 0.0).sum(0).astype(np.float32)
    return Results(
        arrays={f"{unit.key}/{name}": values for name, values in arrays.items()},
        problems=problems,
    )


def _compare_class(
    context: RunContext, group: ClassImages, start: float, share: float
) -> tuple[dict[str, np.ndarray] | None, list[tuple[str, str]]]:
    parameters: LayersParameters = context.parameters
    loaded = context.load_images(
        group.images,
        parameters.resize,
        parameters.frame,
        context.stepper(start, start + 0.1 * share, f"{group.name}: reading images"),
    )
    problems = list(loaded.problems)
    if len(loaded.images) < parameters.minimum_images:
        problems.append((group.name, f"Only {len(loaded.images)} images could be read."))
        return None, problems
    activations: dict[str, list[torch.Tensor]] = {}
    coefficients: dict[str, list[torch.Tensor]] = {}
    for position, side in enumerate(SIDES):
        low = start + share * (0.1 + 0.35 * position)
        name = context.run.model(side)
        layers = chosen_layers(
            context.project, name, parameters.named_layers(side), parameters.layers
        )
        features = context.features.patch_features(
            name,
            loaded.images,
            loaded.frames,
            parameters.grid(),
            layers,
            context.stepper(low, low + 0.3 * share, f"{group.name}: activations of {name}"),
        )
        activations[side] = [features[layer] for layer in layers]
        patches = len(activations[side][0]) // len(loaded.images)
        rows = torch.from_numpy(kept_rows(loaded.images, group.drawn_from(side), patches))
        coefficients[side] = []
        for index, values in enumerate(activations[side]):
            context.step(
                low + share * (0.3 + 0.05 * index / len(layers)),
                f"{group.name}: concepts of {name}",
            )
            with algebra_threads(values.numel()):
                coefficients[side].append(_coefficients(values, rows, parameters, group.name))
    context.step(start + 0.85 * share, f"{group.name}: comparing layers")
    with algebra_threads(sum(values.numel() for values in coefficients["a"] + coefficients["b"])):
        matched = layer_mmcs(
            coefficients["a"],
            coefficients["b"],
            images=len(loaded.images),
            replicates=parameters.replicates,
            permutations=parameters.permutations,
            seed=derive_seed(parameters.seed, "layers", group.name),
        )
    context.step(start + 0.93 * share, f"{group.name}: comparing representations")
    both = activations["a"], activations["b"]
    with algebra_threads(sum(values.numel() for values in activations["a"] + activations["b"])):
        beside = {"cka": cka_matrix, "rsa": rsa_matrix, "procrustes": procrustes_matrix}
        measured = {name: _numpy(matrix(*both)) for name, matrix in beside.items()}
    context.progress.check_cancelled()
    return {
        "pearson": _numpy(matched.pearson),
        "spearman": _numpy(matched.spearman),
        "replicates": _numpy(matched.replicates),
        "permuted": _numpy(matched.permuted),
        **measured,
    }, problems


def _coefficients(
    values: torch.Tensor, rows: torch.Tensor, parameters: LayersParameters, name: str
) -> torch.Tensor:
    """Concept coefficients of all patches, from concepts of the patches in `rows`."""
    found = factorize(
        values[rows][None],
        parameters.components,
        seeds=[derive_seed(parameters.seed, "layers", name)],
        preset=parameters.preset,
    )
    if bool(rows.all()):
        return found.coefficients[0]
    return fit_coefficients(values[None], found.basis)[0]


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.detach().float().cpu().numpy()
