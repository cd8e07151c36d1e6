"""Semantic similarity, read from a project file.

As in `readers`: results as they are now, a number that does not exist or cannot be is NaN. What
cannot be used at all is an AuditError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import read_only, run_parameters
from analysis.figures.provenance import json_value
from analysis.figures.run_results import latest_run
from analysis.figures.semantics_data import (
    MEAN,
    DepthLayer,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from analysis.figures.semantics_masks import mask_images, mask_similarity, projected_masks
from analysis.figures.semantics_sets import concept_examples, concept_sets
from analysis.figures.semantics_values import (
    SIDES,
    Cells,
    check_size,
    columns_of,
    distinct,
    largest,
    layer_names,
    ordered_layers,
    pair_run,
    side_model,
)
from analysis.figures.semantics_words import settings_words

if TYPE_CHECKING:
    from analysis.project import Project

__all__ = [
    "concept_examples",
    "concept_sets",
    "find_semantics",
    "mask_similarity",
    "projected_masks",
    "semantics_index",
    "separability",
    "space_similarity",
    "tcav_layers",
    "tcav_scores",
]

SIGNIFICANT = 0.05
"""An adjusted p below this tells a similarity, or a score, from chance."""

_MOST_THRESHOLDS = 1000
_MOST_LEFT_OUT = 10_000
_PAIR = "run = ? AND model_a = ? AND model_b = ?"


def find_semantics(project: Project, model_a: str, model_b: str) -> int | None:
    """The newest semantics run of a pair, in this order, with results; None without one."""
    return latest_run(project, "semantics", model_a, model_b)


def semantics_index(project: Project, run: int) -> SemanticsIndex:
    """What a semantics run holds, without its numbers.

    Everything is empty when the run has no results yet. Raises AuditError for an unknown run and
    for one of another audit.
    """
    about = pair_run(project, run)
    models = (about["model_a"], about["model_b"])
    images, names = mask_images(project, run)
    concepts = _concepts(project, run)
    parameters = run_parameters(about)
    return SemanticsIndex(
        run=run,
        models=models,
        layers=_both(project, about, ("concept_vector", "tcav"), "space_similarity"),
        concepts=concepts,
        mask_layers=_both(project, about, ("mask_concept",), "mask_similarity"),
        thresholds=_thresholds(project, run),
        classes=tuple(distinct(project, "tcav", "class", "run = ?", (run,))),
        images=read_only(images),
        image_names=names,
        trained=(_trained(project, models[0]), _trained(project, models[1])),
        settings=settings_words(parameters, len(images), len(concepts)),
        left_out=tuple(
            (subject, reason)
            for subject, reason in project.rows(
                "SELECT subject, reason FROM problem WHERE run = ? GROUP BY subject, reason"
                " ORDER BY MIN(id) LIMIT ?",
                (run, _MOST_LEFT_OUT),
            )
        ),
    )


def _concepts(project: Project, run: int) -> tuple[str, ...]:
    """In the order in which they were first written."""
    found: dict[str, None] = {}
    for table in ("concept_vector", "space_similarity", "tcav"):
        found |= dict.fromkeys(distinct(project, table, "concept", "run = ?", (run,)))
    found.pop(MEAN, None)
    return tuple(found)


def _both(
    project: Project, about: Any, of_model: tuple[str, ...], of_pair: str
) -> tuple[tuple[DepthLayer, ...], tuple[DepthLayer, ...]]:
    """The layers of each model that results are of.

    :param of_model: tables with a model and a layer; `of_pair`: the table of pairs of layers.
    """
    found = []
    for side in SIDES:
        model = about[f"model_{side}"]
        names = [
            name
            for table in of_model
            for name in distinct(
                project, table, "layer", "run = ? AND model = ?", (about["id"], model)
            )
        ]
        names += distinct(project, of_pair, f"layer_{side}", _PAIR, _pair_values(about))
        found.append(ordered_layers(project, model, names))
    return found[0], found[1]


def _pair_values(about: Any) -> tuple[Any, ...]:
    return about["id"], about["model_a"], about["model_b"]


def _thresholds(project: Project, run: int) -> tuple[float, ...]:
    rows = project.rows(
        "SELECT DISTINCT threshold FROM mask_similarity WHERE run = ? AND threshold BETWEEN 0 AND 1"
        " ORDER BY threshold LIMIT ?",
        (run, _MOST_THRESHOLDS),
    )
    return tuple(float(row[0]) for row in rows)


def _trained(project: Project, model: str) -> bool:
    """Whether a model has weights that something taught it, as its load report or line says."""
    row = project.row("SELECT specification, load_report FROM model WHERE name = ?", (model,))
    if row is None:
        return True
    report = json_value(row["load_report"])
    if isinstance(report, dict) and isinstance(report.get("untrained"), bool):
        return not report["untrained"]
    description, weights, _ = row["specification"].partition("@")
    return bool(weights) or "pretrained=false" not in description.lower()


def space_similarity(project: Project, run: int, concept: str = MEAN) -> SpaceSimilarityMatrix:
    """SFSS of every pair of layers, for one concept or the mean of all.

    Layers are the same for every concept, in order of execution; a pair without a number is NaN,
    as where a concept cannot be told apart in one of the layers. Arrays are empty when the run has
    none yet. Raises AuditError for an unknown run or concept.
    """
    about = pair_run(project, run)
    if concept != MEAN and concept not in (known := _concepts(project, run)):
        raise AuditError(
            f"Run {run} has no concept “{concept}”.",
            f"Its concepts are {', '.join(known) or 'none yet'}.",
        )
    pair = _pair_values(about)
    layers_a, layers_b = (
        ordered_layers(
            project,
            about[f"model_{side}"],
            distinct(project, "space_similarity", f"layer_{side}", _PAIR, pair),
        )
        for side in SIDES
    )
    check_size(run, len(layers_a), len(layers_b))
    of_a, of_b, pearson, spearman, low, high, null, adjusted, n, fisher = columns_of(
        project,
        "space_similarity",
        "layer_a, layer_b, sfss_pearson, sfss_spearman, ci_low, ci_high, null_95, p_adjusted, n,"
        " sfss_fisher",
        f"{_PAIR} AND concept IS ?",
        (*pair, concept if concept != MEAN else None),
    )
    cells = Cells([(layer_names(layers_a), of_a), (layer_names(layers_b), of_b)])
    return SpaceSimilarityMatrix(
        run=run,
        concept=concept,
        layers_a=layers_a,
        layers_b=layers_b,
        pearson=cells.floats(pearson, -1, 1),
        spearman=cells.floats(spearman, -1, 1),
        ci_low=cells.floats(low, -1, 1),
        ci_high=cells.floats(high, -1, 1),
        null_95=cells.floats(null, -1, 1),
        p_adjusted=cells.floats(adjusted, 0, 1),
        n=largest(n),
        fisher=cells.floats(fisher, -1, 1),
    )


def above_chance(values: np.ndarray, null_95: np.ndarray, p_adjusted: np.ndarray) -> np.ndarray:
    """Which similarities are above the null and stay so after the correction for having looked at
    all pairs; what is not known of the two does not count against a number."""
    with np.errstate(invalid="ignore"):
        beaten = ~(values <= null_95) & ~(p_adjusted >= SIGNIFICANT)
    return np.isfinite(values) & beaten


def separability(project: Project, run: int, model: str) -> Separability:
    """How well each concept is told apart in each layer of a model of the run.

    Arrays are empty when the run has none yet. Raises AuditError for an unknown run or model.
    """
    about = pair_run(project, run)
    side_model(about, model)
    (
        of_layer,
        of_concept,
        accuracy,
        low,
        high,
        null,
        stability,
        separates,
        positive,
        negative,
        auc,
    ) = columns_of(
        project,
        "concept_vector",
        "layer, concept, accuracy, ci_low, ci_high, null_95, stability, separates, n_positive,"
        " n_negative, auc",
        "run = ? AND model = ?",
        (run, model),
    )
    layers = ordered_layers(project, model, of_layer)
    concepts = tuple(dict.fromkeys(of_concept))
    check_size(run, len(concepts), len(layers))
    cells = Cells([(concepts, of_concept), (layer_names(layers), of_layer)])
    return Separability(
        run=run,
        model=model,
        layers=layers,
        concepts=concepts,
        accuracy=cells.floats(accuracy, 0, 1),
        ci_low=cells.floats(low, 0, 1),
        ci_high=cells.floats(high, 0, 1),
        null_95=cells.floats(null, 0, 1),
        stability=cells.floats(stability, -1, 1),
        separates=cells.flags(separates),
        n_positive=cells.counts(positive),
        n_negative=cells.counts(negative),
        auc=cells.floats(auc, 0, 1),
    )


def tcav_layers(project: Project, run: int, model: str) -> tuple[DepthLayer, ...]:
    """The layers of a model in which a run has TCAV scores, in order of execution."""
    side_model(pair_run(project, run), model)
    names = distinct(project, "tcav", "layer", "run = ? AND model = ?", (run, model))
    return ordered_layers(project, model, names)


def tcav_scores(project: Project, run: int, model: str, layer: str) -> TcavScores:
    """TCAV of every concept and class in a layer of a model of the run.

    Arrays are empty where the run has no scores. Raises AuditError for an unknown run or model.
    """
    side_model(pair_run(project, run), model)
    here = ("run = ? AND model = ? AND layer = ?", (run, model, layer))
    of_concept, of_class, score, low, high, null_low, null_high, adjusted = columns_of(
        project,
        "tcav",
        "concept, class, score, ci_low, ci_high, null_low, null_high, p_adjusted",
        *here,
    )
    concepts, classes = tuple(dict.fromkeys(of_concept)), tuple(dict.fromkeys(of_class))
    check_size(run, len(concepts), len(classes))
    cells = Cells([(concepts, of_concept), (classes, of_class)])
    usable = {
        name
        for name, separates in zip(
            *columns_of(project, "concept_vector", "concept, separates", *here), strict=True
        )
        if separates == 1
    }
    return TcavScores(
        run=run,
        model=model,
        layer=layer,
        concepts=concepts,
        classes=classes,
        score=cells.floats(score, 0, 1),
        ci_low=cells.floats(low, 0, 1),
        ci_high=cells.floats(high, 0, 1),
        null_low=cells.floats(null_low, 0, 1),
        null_high=cells.floats(null_high, 0, 1),
        p_adjusted=cells.floats(adjusted, 0, 1),
        separates=read_only(np.array([name in usable for name in concepts], dtype=bool)),
    )
