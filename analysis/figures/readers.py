"""What figures show, read from a project file.

Results are read as they are now: a run that still goes on gives what is committed so far. A number
that does not exist (NULL) is NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import (
    as_float,
    as_floats,
    as_integers,
    as_names,
    as_ranks,
    as_signs,
    read_only,
    unzip,
)
from analysis.figures.data import (
    ConceptDetail,
    ConceptPatch,
    ConceptPoints,
    LayerSimilarity,
    ReplacementPoints,
)
from analysis.name_lists import split_names

if TYPE_CHECKING:
    from analysis.project import Project

LAYER_MEASURES = ("mmcs_pearson", "mmcs_spearman", "cka", "rsa", "procrustes")
_NO_RUN_HINT = "Use `parallax info FILE` to see the runs of a project."


def run_row(project: Project, run: int) -> Any:
    """The row of a run; raises AuditError when the project has no such run."""
    row = project.row("SELECT * FROM run WHERE id = ?", (run,))
    if row is None:
        raise AuditError(f"This project has no run {run}.", _NO_RUN_HINT)
    return row


def run_classes(project: Project, run: int) -> tuple[str, ...]:
    """The classes that have concepts in a run, in alphabetical order."""
    rows = project.rows("SELECT DISTINCT class FROM concept WHERE run = ? ORDER BY class", (run,))
    return tuple(row[0] for row in rows)


def layer_similarity(
    project: Project, run: int, measure: str = "mmcs_pearson"
) -> LayerSimilarity | None:
    """The similarity of every layer of model A to every layer of model B.

    :param measure: one of `LAYER_MEASURES`. Interval and null are its own; NaN where the run was
        made before they were measured.
    Returns None when the run has no results yet. Layers are ordered by depth.
    Raises AuditError for an unknown run or measure.
    """
    if measure not in LAYER_MEASURES:
        raise AuditError(
            f"There is no measure {measure} of layers.",
            f"Choose one of {', '.join(LAYER_MEASURES)}.",
        )
    about = run_row(project, run)
    rows = project.rows(
        f"SELECT layer_a, layer_b, {measure}, {_doubt_of(measure)}, classes"
        " FROM layer_similarity WHERE run = ? ORDER BY id",
        (run,),
    )
    if not rows:
        return None
    names_a, names_b, *numbers = (list(column) for column in zip(*rows, strict=True))
    layers_a, depths_a = _layer_order(project, about["model_a"], names_a)
    layers_b, depths_b = _layer_order(project, about["model_b"], names_b)
    position_a = {name: index for index, name in enumerate(layers_a)}
    position_b = {name: index for index, name in enumerate(layers_b)}
    at = ([position_a[name] for name in names_a], [position_b[name] for name in names_b])
    values, low, high, null, classes = (
        _matrix(column, at, (len(layers_a), len(layers_b))) for column in numbers
    )
    done = int(np.nanmax(classes)) if np.isfinite(classes).any() else 0
    return LayerSimilarity(
        run=run,
        model_a=about["model_a"],
        model_b=about["model_b"],
        layers_a=layers_a,
        layers_b=layers_b,
        depths_a=depths_a,
        depths_b=depths_b,
        measure=measure,
        values=values,
        ci_low=low,
        ci_high=high,
        null_95=null,
        classes=read_only(np.nan_to_num(classes).astype(np.int64)),
        classes_done=done,
        classes_total=max(done, _label_count(project, about)),
    )


def _doubt_of(measure: str) -> str:
    """The columns with the interval and the null of a measure of layers."""
    if measure == "mmcs_pearson":
        return "ci_low, ci_high, null_95"
    return f"{measure}_low, {measure}_high, {measure}_null_95"


def _label_count(project: Project, about: Any) -> int:
    """How many classes a run was asked to compare, as far as that is known; else 0."""
    parameters = json.loads(about["parameters"] or "{}")
    if parameters.get("group_by", "label") != "label":
        return 0
    named = split_names(str(parameters.get("classes", "")))
    return len(named) or project.value(
        "SELECT COUNT(DISTINCT label) FROM image WHERE image_set = ?", (about["image_set"],)
    )


def _layer_order(
    project: Project, model: str, names: Iterable[str]
) -> tuple[tuple[str, ...], np.ndarray]:
    """The distinct layers of `names` in order of execution, and their relative depths 0…1."""
    known = {
        row["name"]: (row["position"], row["depth"])
        for row in project.rows("SELECT name, position, depth FROM layer WHERE model = ?", (model,))
    }
    distinct = list(dict.fromkeys(names))
    last = len(known)
    ordered = sorted(distinct, key=lambda name: known.get(name, (last, None))[0])
    depths = [known.get(name, (last, None))[1] for name in ordered]
    return tuple(ordered), as_floats(depths)


def _matrix(
    column: Sequence[float | None], at: tuple[list[int], list[int]], shape: tuple[int, int]
) -> np.ndarray:
    matrix = np.full(shape, np.nan)
    matrix[at] = np.array(column, dtype=float)
    return read_only(matrix)


_POINT_COLUMNS = (
    "cmcs_pearson, cmcs_spearman, ci_low, ci_high, null_95, smcs_pearson, mcs_pearson,"
    " importance, stability, reconstruction_error, nonzero_weights, n_images"
)


def concept_points(project: Project, run: int) -> ConceptPoints:
    """Every concept of both models of a run, ordered by class, side and index.

    Arrays are empty when the run has no concepts yet. Raises AuditError for an unknown run.
    """
    about = run_row(project, run)
    rows = project.rows(
        f"SELECT concept.id, concept.side, concept.class, concept.concept, {_POINT_COLUMNS}"
        " FROM concept LEFT JOIN concept_similarity AS similarity"
        " USING (run, side, class, concept) WHERE concept.run = ?",
        (run,),
    )
    ids, sides, classes, concepts, *numbers = unzip(rows, 4 + _POINT_COLUMNS.count(",") + 1)
    order = np.lexsort((as_integers(concepts), as_signs(sides), as_ranks(classes)))
    layers = {
        row["side"]: row["layer"]
        for row in project.rows(
            "SELECT side, MIN(layer) AS layer FROM concept WHERE run = ? GROUP BY side", (run,)
        )
    }
    parameters = json.loads(about["parameters"] or "{}")
    values: dict[str, Any] = {
        name.strip(): read_only(as_floats(column)[order])
        for name, column in zip(_POINT_COLUMNS.split(","), numbers, strict=True)
    }
    return ConceptPoints(
        run=run,
        model_a=about["model_a"],
        model_b=about["model_b"],
        layer_a=layers.get("a") or str(parameters.get("layer_a", "")),
        layer_b=layers.get("b") or str(parameters.get("layer_b", "")),
        concept_id=read_only(as_integers(ids)[order]),
        side=read_only(as_signs(sides)[order]),
        class_name=read_only(as_names(classes)[order]),
        concept=read_only(as_integers(concepts)[order]),
        **values,
    )


_REPLACEMENT_COLUMNS = "importance, delta_pearson, l2, kl, match_accuracy"


def replacement_points(project: Project, run: int) -> ReplacementPoints:
    """The replacement test of every concept of a run, ordered by class, side and index.

    Arrays are empty when there are none yet. Raises AuditError for an unknown run.
    """
    about = run_row(project, run)
    rows = project.rows(
        f"SELECT concept.id, concept.side, concept.class, concept.concept, {_REPLACEMENT_COLUMNS}"
        " FROM replacement JOIN concept USING (run, side, class, concept)"
        " WHERE replacement.run = ?",
        (run,),
    )
    ids, sides, classes, concepts, *numbers = unzip(rows, 9)
    order = np.lexsort((as_integers(concepts), as_signs(sides), as_ranks(classes)))
    return ReplacementPoints(
        run=run,
        model_a=about["model_a"],
        model_b=about["model_b"],
        concept_id=read_only(as_integers(ids)[order]),
        side=read_only(as_signs(sides)[order]),
        class_name=read_only(as_names(classes)[order]),
        concept=read_only(as_integers(concepts)[order]),
        **{
            name.strip(): read_only(as_floats(column)[order])
            for name, column in zip(_REPLACEMENT_COLUMNS.split(","), numbers, strict=True)
        },
    )


_DETAIL_NUMBERS = (
    "cmcs_pearson",
    "cmcs_spearman",
    "ci_low",
    "ci_high",
    "null_95",
    "smcs_pearson",
    "mcs_pearson",
    "importance",
    "stability",
    "reconstruction_error",
)


def concept_detail(project: Project, concept_id: int) -> ConceptDetail:
    """One concept with its real and predicted coefficients and its patches.

    Coefficients are empty when they are not computed yet. Raises AuditError for an unknown concept.
    """
    row = project.row(
        f"SELECT concept.id, concept.run, concept.side, concept.class AS class_name,"
        " concept.concept, concept.model, concept.layer, n_images,"
        f" {', '.join(_DETAIL_NUMBERS)}"
        " FROM concept LEFT JOIN concept_similarity AS similarity"
        " USING (run, side, class, concept) WHERE concept.id = ?",
        (concept_id,),
    )
    if row is None:
        raise AuditError(
            f"This project has no concept {concept_id}.",
            "The table `concept` lists the ids of all concepts.",
        )
    about = run_row(project, row["run"])
    other = "b" if row["side"] == "a" else "a"
    predictor_layer = project.value(
        "SELECT layer FROM concept WHERE run = ? AND side = ? LIMIT 1", (row["run"], other)
    ) or json.loads(about["parameters"] or "{}").get(f"layer_{other}", "")
    patches = _patches(project, row)
    numbers: dict[str, Any] = {name: as_float(row[name]) for name in _DETAIL_NUMBERS}
    real, predicted, image, box = _coefficients(project, row)
    return ConceptDetail(
        concept_id=row["id"],
        run=row["run"],
        side=row["side"],
        class_name=row["class_name"],
        concept=row["concept"],
        target_model=row["model"],
        target_layer=row["layer"],
        predictor_model=about[f"model_{other}"],
        predictor_layer=str(predictor_layer),
        n_images=row["n_images"] or 0,
        real=real,
        predicted=predicted,
        image=image,
        box=box,
        top=_of_kind(patches, "top"),
        under=_of_kind(patches, "under"),
        over=_of_kind(patches, "over"),
        **numbers,
    )


def _patches(project: Project, concept: Any) -> list[ConceptPatch]:
    rows = project.rows(
        "SELECT id, kind, rank, image, x, y, width, height, coefficient, predicted FROM patch"
        " WHERE run = ? AND side = ? AND class = ? AND concept = ? ORDER BY kind, rank",
        (concept["run"], concept["side"], concept["class_name"], concept["concept"]),
    )
    return [ConceptPatch(*row[:8], *(as_float(value) for value in row[8:])) for row in rows]


def _of_kind(patches: list[ConceptPatch], kind: str) -> tuple[ConceptPatch, ...]:
    return tuple(patch for patch in patches if patch.kind == kind)


def _coefficients(
    project: Project, concept: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Real and predicted coefficients, image ids and boxes of the held-out patches."""
    run, folder = concept["run"], f"class/{concept['class_name']}"
    names = (
        f"{folder}/{concept['side']}/real",
        f"{folder}/{concept['side']}/predicted",
        f"{folder}/image",
        f"{folder}/box",
    )
    if not all(project.has_array(run, name) for name in names):
        empty = np.zeros(0)
        return empty, empty, np.zeros(0, np.int64), np.zeros((0, 4), np.int64)
    real, predicted, image, box = (project.read_array(run, name) for name in names)
    column = concept["concept"]
    fits = (
        real.ndim == 2
        and real.shape == predicted.shape
        and 0 <= column < real.shape[1]
        and image.shape == real.shape[:1]
        and box.shape == (len(real), 4)
    )
    if not fits:
        raise AuditError(
            f"The coefficients of class {concept['class_name']} in run {run} do not fit together.",
            "The project file may be damaged: check it with `parallax info FILE`.",
        )
    return (
        read_only(real[:, column].astype(float)),
        read_only(predicted[:, column].astype(float)),
        read_only(image.astype(np.int64)),
        read_only(box.astype(np.int64)),
    )
