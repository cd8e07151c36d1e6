"""The units of the audit `semantics`: concept vectors, their comparison, masks, their overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.comparison import unique_class_names
from analysis.audits.context import SIDES, LoadedImages, RunContext
from analysis.audits.dissection import chosen_images
from analysis.audits.grouping import read_images
from analysis.audits.plan import Results, Unit, number_or_none
from analysis.audits.project_models import model_input
from analysis.audits.semantics import mask_layers, vector_layers
from analysis.audits.semantics_examples import ExampleTable, example_table
from analysis.audits.spool import Spool
from analysis.devices import algebra_threads
from analysis.errors import AuditError
from analysis.images.frames import PatchGrid
from analysis.name_lists import split_names
from analysis.semantics.concept_effects import LayerReplacement, fidelity, gradient_importance
from analysis.semantics.concept_masks import (
    IceConcepts,
    enlarged,
    find_concepts,
    normalised,
    project,
    reconstruct,
)
from analysis.semantics.layer_gradients import class_gradients
from analysis.semantics.mask_similarity import MaskSimilarity, mask_similarity
from analysis.semantics.space_similarity import ConceptSimilarity, space_similarity
from analysis.semantics.tcav import TcavScores, adjust_together, tcav
from analysis.semantics.vectors import (
    ConceptVectors,
    VectorPlan,
    VectorSettings,
    cosines,
    fit_vectors,
    plan_vectors,
)

if TYPE_CHECKING:
    from analysis.audits.semantics import SemanticsParameters
    from analysis.models.loading import LoadedModel
    from analysis.project import Project

_GRADIENT_IMAGES = {"cpu": 8, "mps": 16, "cuda": 64}
_CLASSES = 10  # of TCAV at most, where none are named
_LEAST_IMAGES = 4

Rows = list[dict[str, Any]]
Problems = list[tuple[str, str]]


def run_part(unit: Unit, context: RunContext) -> Results:
    """One of the six units of a run."""
    part, _, side = unit.key.partition("/")
    if part == "vectors":
        return _Vectors(context, side).results()
    if part == "masks":
        return _Masks(context, side).results()
    return _compare_spaces(context) if part == "space" else _compare_masks(context)


def _run_images(context: RunContext) -> LoadedImages:
    """The frames of the run's images, read once."""
    parameters: SemanticsParameters = context.parameters

    def load() -> LoadedImages:
        images = chosen_images(
            read_images(context.project, context.run.image_set), parameters.images
        )
        return context.load_images(
            images, parameters.resize, parameters.frame, context.stepper(0, 0.1, "Reading images")
        )

    return context.keep("run images", load)


def _vector_plan(context: RunContext, table: ExampleTable) -> VectorPlan:
    """Draws and splits, the same for all layers of both models."""
    parameters: SemanticsParameters = context.parameters
    settings = VectorSettings(
        sets=parameters.random_sets,
        permutations=parameters.permutations,
        replicates=parameters.replicates,
        seed=parameters.seed,
    )
    return context.keep(
        "vector plan",
        lambda: plan_vectors(table.concepts, len(table.entries), settings, table.images),
    )


class _Vectors:
    """Concept vectors of all layers of one model, attributions of the images, and TCAV."""

    def __init__(self, context: RunContext, side: str) -> None:
        self._context, self._side = context, side
        self._parameters: SemanticsParameters = context.parameters
        self._model = context.run.model(side)
        self._images = _run_images(context)
        self._table = example_table(context, self._images.images)
        self._layers = vector_layers(context.project, self._model, context.parameters, side)
        first = side == SIDES[0]
        self._problems: Problems = [*self._images.problems, *self._table.problems] if first else []

    def results(self) -> Results:
        table, parameters = self._table, self._parameters
        plan = _vector_plan(self._context, table)
        whole = PatchGrid(parameters.frame, parameters.frame)
        source = self._context.features
        examples = source.patch_features(
            self._model, table.entries, table.frames, whole, self._layers,
            self._context.stepper(0.1, 0.4, f"{self._model}: examples of concepts"),
        )  # fmt: skip
        images = source.patch_features(
            self._model, self._images.images, self._images.frames, whole, self._layers,
            self._context.stepper(0.4, 0.6, f"{self._model}: images"),
        )  # fmt: skip
        rows: Rows = []
        fitted: dict[str, ConceptVectors] = {}
        attributions, usable = [], []
        for place, layer in enumerate(self._layers):
            low = 0.6 + 0.2 * place / len(self._layers)
            part = self._context.part(low, low + 0.2 / len(self._layers), f"{layer}: ")
            with algebra_threads(examples[layer].numel()):
                vectors = fitted[layer] = fit_vectors(examples[layer], plan, part)
            rows += self._vector_rows(layer, vectors)
            attributions.append(cosines(images[layer], vectors.vectors.to(images[layer])).cpu())
            usable.append(vectors.separates.numpy())
        arrays: dict[str, np.ndarray] = {
            f"attribution/{self._side}": torch.stack(attributions).numpy().astype(np.float32),
            f"usable/{self._side}": np.stack(usable).astype(np.uint8),
        }
        tables = {"concept_vector": rows, "tcav": self._tcav(examples, fitted)}
        said = _said_before(self._context, self._side, vector_layers)
        return Results(_without(tables, said), arrays, self._problems)

    def _vector_rows(self, layer: str, vectors: ConceptVectors) -> Rows:
        negatives = {one.name: len(one.negatives) for one in self._table.concepts}
        positives = {one.name: len(one.positives) for one in self._table.concepts}
        return [
            {
                "model": self._model,
                "layer": layer,
                "concept": name,
                "accuracy": number_or_none(float(vectors.accuracy[place])),
                "ci_low": number_or_none(float(vectors.ci_low[place])),
                "ci_high": number_or_none(float(vectors.ci_high[place])),
                "auc": number_or_none(float(vectors.auc[place])),
                "null_95": number_or_none(float(vectors.null_95[place])),
                "p": number_or_none(float(vectors.p[place])),
                "stability": number_or_none(float(vectors.stability[place])),
                "separates": int(vectors.separates[place]),
                "n_positive": positives[name],
                "n_negative": negatives[name],
            }
            for place, name in enumerate(vectors.names)
        ]

    def _tcav(self, examples: dict[str, torch.Tensor], fitted: dict[str, ConceptVectors]) -> Rows:
        model = self._context.features.model(self._model)
        classes = self._classes(model)
        found: list[tuple[str, str, TcavScores]] = []
        for place, (name, code) in enumerate(classes):
            low = 0.8 + 0.2 * place / max(len(classes), 1)
            self._context.step(low, f"{self._model}: TCAV of {name}")
            chosen = [
                at for at, image in enumerate(self._images.images) if image.label == name
            ]  # fmt: skip
            gradients = self._gradients(model, chosen, code)
            for layer, vectors in fitted.items():
                scores = tcav(
                    gradients[layer], examples[layer], vectors,
                    replicates=self._parameters.replicates, seed=self._parameters.seed,
                )  # fmt: skip
                found.append((name, layer, scores))
        adjusted = adjust_together([scores for _, _, scores in found]) if found else []
        rows: Rows = []
        for (name, layer, _), scores in zip(found, adjusted, strict=True):
            rows += self._tcav_rows(name, layer, scores)
        return rows

    def _tcav_rows(self, class_name: str, layer: str, scores: TcavScores) -> Rows:
        return [
            {
                "model": self._model,
                "layer": layer,
                "concept": concept,
                "class": class_name,
                **{
                    column: number_or_none(float(getattr(scores, column)[place]))
                    for column in ("score", "ci_low", "ci_high", "null_low", "null_high", "p",
                                   "p_adjusted")
                },
                "n": scores.n,
                "random_sets": self._parameters.random_sets,
            }
            for place, concept in enumerate(scores.names)
        ]  # fmt: skip

    def _classes(self, model: LoadedModel) -> list[tuple[str, int]]:
        """Labels of the images that the model has as classes, by their own or by a given name,
        with the class's number."""
        if not model.num_classes:
            self._problems.append((self._model, "Without a classifier head there is no TCAV."))
            return []
        names = unique_class_names(model.class_names or (), model.num_classes)
        codes = {name.casefold(): code for code, name in enumerate(names)}
        labels = sorted({image.label for image in self._images.images if image.label})
        wanted = split_names(self._parameters.classes)
        called = self._parameters.named_classes()
        found = []
        for label in wanted or labels:
            # A model that has no class of the name given may have one called like the label.
            own = codes.get(label.casefold())
            code = codes.get(called.get(label.casefold(), ""), own)
            shown = sum(image.label == label for image in self._images.images)
            if code is not None and shown >= _LEAST_IMAGES:
                found.append((label, code))
            elif wanted:
                self._problems.append((f"{self._model}: {label}", "No such class, or no images."))
        if not found and not wanted:
            reason = "None of its classes is called like a label of the images: no TCAV."
            self._problems.append((self._model, reason))
        return found if wanted else found[:_CLASSES]

    def _gradients(
        self, model: LoadedModel, chosen: Sequence[int], code: int
    ) -> dict[str, torch.Tensor]:
        size = _GRADIENT_IMAGES[self._context.device.type]
        parts: list[dict[str, torch.Tensor]] = []
        for start in range(0, len(chosen), size):
            self._context.progress.check_cancelled()
            batch = model_input(
                model, self._images.frames[chosen[start : start + size]], self._context.device
            )
            parts.append(class_gradients(model, batch, [code] * len(batch), self._layers))
        return {layer: torch.cat([part[layer] for part in parts]) for layer in self._layers}


def _said_before(
    context: RunContext,
    side: str,
    layers: Callable[[Project, str, SemanticsParameters, str], list[str]],
) -> set[str]:
    """Layers of the second model that were told of already: those of the first, if it is the
    same."""
    first = context.run.model_a
    if side == SIDES[0] or context.run.model_b != first:
        return set()
    return set(layers(context.project, first, context.parameters, SIDES[0]))


def _without(tables: dict[str, Rows], layers: set[str]) -> dict[str, Rows]:
    return {
        name: [row for row in rows if row["layer"] not in layers] for name, rows in tables.items()
    }


def _mask_layers(
    project_file: Project, model: str, parameters: SemanticsParameters, side: str
) -> list[str]:
    return mask_layers(project_file, model, parameters.named_mask_layers(side))


def _compare_spaces(context: RunContext) -> Results:
    """SFSS of every pair of layers, of each concept and of their mean."""
    parameters: SemanticsParameters = context.parameters
    project_file, run = context.project, context.run
    tables = {
        side: torch.from_numpy(project_file.read_array(run.id, f"attribution/{side}"))
        for side in SIDES
    }
    usable = {
        side: torch.from_numpy(project_file.read_array(run.id, f"usable/{side}").astype(bool))
        for side in SIDES
    }
    context.step(0.1, "Comparing feature spaces")
    with algebra_threads(tables["a"].numel() * len(tables["b"])):
        found = space_similarity(
            tables["a"], tables["b"], usable["a"], usable["b"],
            parameters.replicates, parameters.permutations, parameters.seed,
        )  # fmt: skip
    layers = {
        side: vector_layers(project_file, run.model(side), parameters, side) for side in SIDES
    }
    names = [
        row["concept"]
        for row in project_file.rows(
            "SELECT concept FROM concept_vector WHERE run = ? AND layer = ? AND model = ?"
            " ORDER BY id",
            (run.id, layers["a"][0], run.model_a),
        )
    ][: tables["a"].shape[1]]
    rows: Rows = []
    for i, layer_a in enumerate(layers["a"]):
        for j, layer_b in enumerate(layers["b"]):
            pair = {
                "model_a": run.model_a, "layer_a": layer_a,
                "model_b": run.model_b, "layer_b": layer_b, "n": found.n,
            }  # fmt: skip
            fisher = number_or_none(float(found.fisher_pearson[i, j]))
            mean = _similarity(found.mean, (i, j))
            rows.append({**pair, "concept": None, **mean, "sfss_fisher": fisher})
            rows += [
                {**pair, "concept": name, **_similarity(found.concepts, (i, j, place))}
                for place, name in enumerate(names)
            ]
    return Results({"space_similarity": rows})


def _similarity(found: ConceptSimilarity, place: tuple[int, ...]) -> dict[str, float | None]:
    return {
        "sfss_pearson": number_or_none(float(found.pearson[place])),
        "sfss_spearman": number_or_none(float(found.spearman[place])),
        "ci_low": number_or_none(float(found.ci_low[place])),
        "ci_high": number_or_none(float(found.ci_high[place])),
        "null_95": number_or_none(float(found.null_95[place])),
        "p_adjusted": number_or_none(float(found.p_adjusted[place])),
    }


class _Masks:
    """Concepts found in the layers of one model, and where they are in every image."""

    def __init__(self, context: RunContext, side: str) -> None:
        self._context, self._side = context, side
        self._parameters: SemanticsParameters = context.parameters
        self._model = context.run.model(side)
        self._images = _run_images(context)
        self._layers = _mask_layers(context.project, self._model, self._parameters, side)

    def results(self) -> Results:
        rows: Rows = []
        arrays = {"projections/images": np.array([image.id for image in self._images.images])}
        problems: Problems = []
        if not self._layers:
            problems.append((self._model, "None of its layers has places of the image."))
        spool: Spool = self._context.keep("spool", Spool, Spool.close)
        maps = self._context.features.maps(
            self._model, self._images.images, self._images.frames, self._layers,
            lambda shape: spool.array(shape, np.float16),
            self._context.stepper(0.1, 0.5, f"{self._model}: activations"),
        ) if self._layers else {}  # fmt: skip
        for place, layer in enumerate(self._layers):
            low = 0.5 + 0.5 * place / len(self._layers)
            self._context.step(low, f"{layer}: finding concepts")
            kept = maps.pop(layer)
            values = torch.from_numpy(kept).to(self._context.device).float()
            spool.release(kept)
            with algebra_threads(values.numel()):
                concepts = find_concepts(
                    values, self._parameters.components, seed=self._parameters.seed
                )
                coefficients = project(concepts, values)
            scaled = normalised(
                coefficients, concepts.peak, self._parameters.normalisation,  # type: ignore[arg-type]
                self._parameters.presence,
            )  # fmt: skip
            codes = (scaled.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
            arrays[f"projections/{SIDES.index(self._side)}/{layer}"] = codes
            self._context.step(low + 0.25 / len(self._layers), f"{layer}: what concepts do")
            rows += self._rows(layer, concepts, coefficients, codes, problems)
        said = _said_before(self._context, self._side, _mask_layers)
        return Results(_without({"mask_concept": rows}, said), arrays, problems)

    def _rows(
        self,
        layer: str,
        concepts: IceConcepts,
        coefficients: torch.Tensor,
        codes: np.ndarray,
        problems: Problems,
    ) -> Rows:
        presence = (codes.reshape(*codes.shape[:2], -1).max(2) > 0).mean(0)
        weights = np.full(len(presence), np.nan)
        lost = float("nan")
        model = self._context.features.model(self._model)
        if model.num_classes:
            try:
                weights, lost = self._effects(model, layer, concepts, coefficients)
            except AuditError as error:
                problems.append((f"{self._model}: {layer}", str(error)))
        return [
            {
                "model": self._model,
                "layer": layer,
                "concept": place,
                "class": None,
                "importance": number_or_none(float(weights[place])),
                "fidelity": number_or_none(lost),
                "reconstruction_error": number_or_none(concepts.relative_error),
                "lost": concepts.lost,
                "presence": float(share),
            }
            for place, share in enumerate(presence)
        ]

    def _effects(
        self, model: LoadedModel, layer: str, concepts: IceConcepts, coefficients: torch.Tensor
    ) -> tuple[np.ndarray, float]:
        """Importance of each concept for the predicted classes, relative to the greatest, and how
        much the predicted classes' scores change when the layer is left to its concepts."""
        size = _GRADIENT_IMAGES[self._context.device.type]
        gradients, before, after = [], [], []
        for start in range(0, len(self._images.frames), size):
            self._context.progress.check_cancelled()
            batch = model_input(
                model, self._images.frames[start : start + size], self._context.device
            )
            scores = model.run(batch)
            classes = scores.argmax(1)
            gradients.append(class_gradients(model, batch, classes, [layer], "pooled")[layer])
            maps = reconstruct(concepts, coefficients[start : start + size])
            changed = LayerReplacement(model, layer, batch)(maps)
            before.append(scores.gather(1, classes[:, None]).cpu())
            after.append(changed.gather(1, classes[:, None].to(changed.device)).cpu())
        found = gradient_importance(torch.cat(gradients).cpu(), concepts.directions).numpy()
        largest = np.abs(found).max()
        lost = float(fidelity(torch.cat(before), torch.cat(after))[0])
        return found / largest if largest > 0 else found, lost


def _compare_masks(context: RunContext) -> Results:
    """UCS of every pair of concepts of every pair of layers, at all thresholds."""
    parameters: SemanticsParameters = context.parameters
    layers = {
        side: _mask_layers(context.project, context.run.model(side), parameters, side)
        for side in SIDES
    }
    pairs = [(first, second) for first in layers["a"] for second in layers["b"]]
    rows: Rows = []
    for place, (first, second) in enumerate(pairs):
        part = context.part(place / len(pairs), (place + 1) / len(pairs), f"{first}, {second}: ")
        masks_a, masks_b = _projections(context, 0, first), _projections(context, 1, second)
        with algebra_threads(masks_a.numel() + masks_b.numel()):
            found = mask_similarity(
                masks_a, masks_b, parameters.mask_thresholds(), parameters.replicates,
                parameters.permutations, parameters.seed, progress=part,
            )  # fmt: skip
        rows += _overlap_rows(context, first, second, found)
    return Results({"mask_similarity": rows})


def _projections(context: RunContext, number: int, layer: str) -> torch.Tensor:
    codes = context.project.read_array(context.run.id, f"projections/{number}/{layer}")
    values = torch.from_numpy(codes).to(context.device).float() / 255
    return enlarged(values, context.parameters.mask_side)


def _overlap_rows(context: RunContext, first: str, second: str, found: MaskSimilarity) -> Rows:
    run = context.run
    rows: Rows = []
    for level, threshold in enumerate(found.thresholds):
        matched = {(a, b) for a, b, _ in found.matches(level)}
        _, rows_a, rows_b = found.ucs.shape
        for a in range(rows_a):
            for b in range(rows_b):
                at = (level, a, b)
                rows.append(
                    {
                        "model_a": run.model_a,
                        "layer_a": first,
                        "concept_a": a,
                        "model_b": run.model_b,
                        "layer_b": second,
                        "concept_b": b,
                        "threshold": threshold,
                        "ucs": number_or_none(float(found.ucs[at])),
                        "ci_low": number_or_none(float(found.ci_low[at])),
                        "ci_high": number_or_none(float(found.ci_high[at])),
                        "null_95": number_or_none(float(found.null_95[at])),
                        "p_adjusted": number_or_none(float(found.p_adjusted[at])),
                        "matched": int((a, b) in matched),
                        "n": int(found.images[at]),
                    }
                )
    return rows
