"""One unit of the audit `layers`: similarity of all pairs of layers for a few classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.audits.comparison import grouping_of, kept_rows
from analysis.audits.context import SIDES, RunContext
from analysis.audits.grouping import ClassImages
from analysis.audits.layers import chosen_layers
from analysis.audits.layers_summary import FEW_DRAWS, PER_CLASS, WITH_VARIANCE
from analysis.audits.plan import Results, Unit
from analysis.concepts.extraction import factorize, fit_coefficients
from analysis.concepts.matching import layer_mmcs
from analysis.devices import algebra_threads
from analysis.seeds import derive_seed
from analysis.statistics.cka_uncertainty import measured_cka
from analysis.statistics.image_jackknife import Measured
from analysis.statistics.procrustes_uncertainty import measured_procrustes
from analysis.statistics.rsa_uncertainty import measured_rsa

if TYPE_CHECKING:
    from analysis.audits.layers import LayersParameters

_WORDS = {"cka": "CKA", "rsa": "RSA", "procrustes": "Procrustes similarity"}
_BESIDE = {"cka": measured_cka, "rsa": measured_rsa, "procrustes": measured_procrustes}


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
    return Results(
        arrays={f"{unit.key}/{name}": values for name, values in _summed(found).items()},
        problems=problems,
    )


def _summed(found: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What is kept of a unit's classes (see `layers_summary.UnitSummary`)."""

    def stacked(name: str) -> np.ndarray:
        return np.stack([values[name] for values in found]).astype(np.float32)

    arrays = {name: stacked(name) for name in PER_CLASS}
    arrays["images"] = np.array([values["images"] for values in found], dtype=np.int64)
    arrays["counted"] = np.isfinite(arrays["pearson"]).sum(0).astype(np.int64)
    for name in WITH_VARIANCE:
        arrays[f"{name} variance"] = stacked(f"{name} variance")
    for name in FEW_DRAWS:
        arrays[f"{name} permuted"] = stacked(f"{name} permuted")
    sums = {"replicates": "pearson", "permuted": "pearson"}
    sums |= {f"{name} permuted": name for name in WITH_VARIANCE if name not in FEW_DRAWS}
    for name, measure in sums.items():
        there = np.isfinite(arrays[measure])[:, None]
        arrays[name] = np.where(there, stacked(name), 0.0).sum(0).astype(np.float32)
    return arrays


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
    measured = {
        "pearson": matched.pearson,
        "replicates": matched.replicates,
        "permuted": matched.permuted,
        "spearman": matched.spearman,
        "spearman variance": matched.spearman_variance,
        "spearman permuted": matched.spearman_permuted,
    }
    for position, (name, measure) in enumerate(_BESIDE.items()):
        context.step(start + share * (0.88 + 0.04 * position), f"{group.name}: {_WORDS[name]}")
        draws = few_draws(context) if name in FEW_DRAWS else parameters.permutations
        with algebra_threads(
            sum(values.numel() for each in activations.values() for values in each)
        ):
            found = measure(
                activations["a"],
                activations["b"],
                len(loaded.images),
                draws,
                derive_seed(parameters.seed, "layers", group.name),
            )
        measured |= _named(name, found)
    context.progress.check_cancelled()
    kept = {name: _numpy(values) for name, values in measured.items()}
    return {**kept, "images": np.array(len(loaded.images))}, problems


def _named(name: str, found: Measured) -> dict[str, torch.Tensor]:
    return {
        name: found.value,
        f"{name} variance": found.variance,
        f"{name} permuted": found.permuted,
    }


def few_draws(context: RunContext) -> int:
    """Shuffles a class where each costs much: so many that all classes have enough together."""
    parameters: LayersParameters = context.parameters
    classes = len(grouping_of(context, parameters.images_per_class).classes)
    return max(1, -(-parameters.procrustes_permutations // classes))


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
