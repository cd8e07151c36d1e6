"""Dissected units and profiles, read from a project file.

As in `readers`: results as they are now, a number that does not exist is NaN. A run of an imported
table has no images, no masks and no null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures.columns import (
    as_float,
    as_floats,
    as_integers,
    as_names,
    parameter_number,
    places,
    read_only,
    run_parameters,
    unzip,
)
from analysis.figures.readers import run_row
from analysis.figures.unit_data import (
    Profiles,
    ThresholdSweep,
    UnitCandidate,
    UnitDetail,
    UnitPatch,
    UnitTable,
)
from analysis.images.frames import Frame

if TYPE_CHECKING:
    from analysis.project import Project

Column = tuple[int, str, str]  # dissection run, model, layer

# The order of the papers; other categories follow by name, their total last.
CATEGORY_ORDER = ("object", "part", "material", "color", "scene", "texture", "class")
TOTAL = "total"  # the sum over the categories
_RESOLUTION = 56  # of masks, where a run does not say it
_IOU_THRESHOLD = 0.04  # of embeddings, where a run does not say it
_AT_ONCE = 500  # ids in one statement; SQLite allows no unlimited number


def unit_table(project: Project, run: int) -> UnitTable:
    """Every unit of a dissection run, ordered by model (as in the run), layer and unit.

    Arrays are empty when the run has no units yet. `quantile` and `iou_threshold` are NaN for an
    imported table that does not say them. Raises AuditError for an unknown run.
    """
    about = run_row(project, run)
    rows = project.rows(
        "SELECT id, model, layer, unit, concept, category, interpretable,"
        " iou, null_iou, p, threshold, active_fraction FROM unit WHERE run = ?",
        (run,),
    )
    ids, models, layers, units, concepts, categories, interpretable, *rest = unzip(rows, 12)
    order = np.lexsort(
        (
            as_integers(units),
            places(layers, layer_order(project, models, layers)),
            places(models, model_order(project, run, models)),
        )
    )
    iou, null_iou, p, threshold, active = (read_only(as_floats(column)[order]) for column in rest)
    parameters = run_parameters(about)
    return UnitTable(
        run=run,
        quantile=parameter_number(parameters, "quantile"),
        iou_threshold=parameter_number(parameters, "iou_threshold"),
        unit_id=read_only(as_integers(ids)[order]),
        model=read_only(as_names(models)[order]),
        layer=read_only(as_names(layers)[order]),
        unit=read_only(as_integers(units)[order]),
        concept=read_only(as_names(concepts)[order]),
        category=read_only(as_names(categories)[order]),
        iou=iou,
        null_iou=null_iou,
        p=p,
        interpretable=read_only(as_integers(interpretable)[order].astype(bool)),
        threshold=threshold,
        active_fraction=active,
    )


def unit_detail(project: Project, unit_id: int) -> UnitDetail:
    """One unit with its candidates (highest IoU first) and the images that activate it most.

    Raises AuditError for an unknown unit and for damaged masks.
    """
    return unit_details(project, (unit_id,))[0]


def unit_details(project: Project, unit_ids: Sequence[int]) -> tuple[UnitDetail, ...]:
    """As `unit_detail` for many units in the order asked for; masks are read once a layer.

    Raises AuditError for an unknown unit and for damaged masks.
    """
    rows = {row["id"]: row for row in _by_ids(project, "SELECT * FROM unit WHERE id", unit_ids)}
    for unit_id in unit_ids:
        if unit_id not in rows:
            raise AuditError(
                f"This project has no unit {unit_id}.",
                "The table `unit` lists the ids of all units.",
            )
    squares: dict[int, Frame | None] = {}
    masks: dict[tuple[int, str, str], np.ndarray | None] = {}
    details = []
    for unit_id in unit_ids:
        row = rows[unit_id]
        run, layer = row["run"], (row["run"], row["model"], row["layer"])
        if run not in squares:
            squares[run] = _frame(project, run)
        if layer not in masks:
            masks[layer] = _masks(project, *layer) if squares[run] is not None else None
        details.append(_detail(project, row, masks[layer], squares[run]))
    return tuple(details)


def _by_ids(project: Project, select: str, ids: Sequence[int]) -> list[Any]:
    rows: list[Any] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = [int(one) for one in ids[start : start + _AT_ONCE]]
        rows += project.rows(f"{select} IN ({', '.join('?' * len(some))})", some)
    return rows


def _detail(
    project: Project, row: Any, masks: np.ndarray | None, frame: Frame | None
) -> UnitDetail:
    key = tuple(row[name] for name in ("run", "model", "layer", "unit"))
    candidates = project.rows(
        "SELECT concept, category, iou FROM unit_candidate"
        " WHERE run = ? AND model = ? AND layer = ? AND unit = ? ORDER BY rank",
        key,
    )
    patches = project.rows(
        "SELECT unit_patch.id, rank, image, x, y, unit_patch.width, unit_patch.height, activation,"
        " image.width AS image_width, image.height AS image_height"
        " FROM unit_patch JOIN image ON image.id = unit_patch.image"
        " WHERE run = ? AND model = ? AND layer = ? AND unit = ? ORDER BY rank",
        key,
    )
    return UnitDetail(
        unit_id=row["id"],
        run=row["run"],
        model=row["model"],
        layer=row["layer"],
        unit=row["unit"],
        concept=row["concept"] or "",
        category=row["category"] or "",
        iou=as_float(row["iou"]),
        null_iou=as_float(row["null_iou"]),
        p=as_float(row["p"]),
        interpretable=bool(row["interpretable"]),
        threshold=as_float(row["threshold"]),
        active_fraction=as_float(row["active_fraction"]),
        candidates=tuple(
            UnitCandidate(concept, category, as_float(iou)) for concept, category, iou in candidates
        ),
        patches=tuple(_patch(patch, row["unit"], masks, frame) for patch in patches),
    )


def _patch(patch: Any, unit: int, masks: np.ndarray | None, frame: Frame | None) -> UnitPatch:
    box = (patch["x"], patch["y"], patch["width"], patch["height"])
    square, mask = box, None
    if frame is not None and patch["image_width"] and patch["image_height"]:
        square = frame.region(patch["image_width"], patch["image_height"])
        at = (unit, patch["rank"])
        if masks is not None and all(0 <= k < n for k, n in zip(at, masks.shape, strict=False)):
            mask = read_only(_unpacked(masks[at]))
    return UnitPatch(
        patch_id=patch["id"],
        rank=patch["rank"],
        image=patch["image"],
        x=box[0],
        y=box[1],
        width=box[2],
        height=box[3],
        activation=as_float(patch["activation"]),
        mask=mask,
        frame=square,
    )


def _frame(project: Project, run: int) -> Frame | None:
    """The frame that a dissection run cut from every image; None for an imported table."""
    parameters = run_parameters(run_row(project, run))
    resize, side = (parameter_number(parameters, name) for name in ("resize", "frame"))
    if not (1 <= side <= resize):
        return None
    return Frame(int(resize), int(side))


def _masks(project: Project, run: int, model: str, layer: str) -> np.ndarray | None:
    """(units, ranks, bytes) packed masks of a layer; None where the run keeps none."""
    position = project.value(
        "SELECT position FROM run_model WHERE run = ? AND model = ?", (run, model)
    )
    name = f"masks/{position}/{layer}"
    if position is None or not project.has_array(run, name):
        return None
    masks = project.read_array(run, name)
    resolution = parameter_number(run_parameters(run_row(project, run)), "resolution")
    side = int(resolution) if resolution >= 1 else _RESOLUTION
    if masks.ndim != 3 or masks.dtype != np.uint8 or masks.shape[2] != (side * side + 7) // 8:
        raise AuditError(
            f"The masks of the layer {layer} of {model} in run {run} do not fit together.",
            "The project file may be damaged: check it with `parallax info FILE`.",
        )
    return masks


def _unpacked(packed: np.ndarray) -> np.ndarray:
    """(side, side) bool of a mask packed row by row."""
    side = int(np.sqrt(8 * len(packed)))
    return np.unpackbits(packed, count=side * side).reshape(side, side).astype(bool)


def profiles(project: Project, run: int, models: Sequence[str] | None = None) -> Profiles:
    """The dissect profiles of the models of a dissection or an embedding run.

    One entry a model and layer, in the order of the run. For an embedding run they are those that
    it was made from: of each of its models the dissection run that it recorded (where it has none
    yet, the newest), there the last layer (or the one it names), counted at its own IoU threshold.

    :param models: only these, in this order.
    Raises AuditError for an unknown run, and for a run of another audit.
    """
    about = run_row(project, run)
    if about["audit"] == "dissection":
        columns = _dissected(project, run)
        rows: Sequence[Any] = project.rows(
            "SELECT run, model, layer, concept, category, units FROM profile"
            " WHERE run = ? AND units > 0",
            (run,),
        )
    elif about["audit"] == "embedding":
        columns = _embedded(project, about)
        rows = _counted(project, columns, run_parameters(about))
    else:
        raise AuditError(
            f"Run {run} is of the audit {about['audit']}, which has no profiles.",
            "Choose a run of dissection or of embedding.",
        )
    if models is not None:
        columns = [column for name in models for column in columns if column[1] == name]
    return _profiles(run, columns, rows, _unit_counts(project, columns))


def _profiles(
    run: int, columns: Sequence[Column], rows: Iterable[Any], totals: np.ndarray
) -> Profiles:
    place = {column: index for index, column in enumerate(columns)}
    kept = [row for row in rows if tuple(row[:3]) in place]
    concepts = sorted({(row[4], row[3]) for row in kept}, key=lambda k: (category_rank(k[0]), k[1]))
    categories = tuple(dict.fromkeys(category for category, _ in concepts))
    units = np.zeros((len(columns), len(concepts)), dtype=np.int64)
    at = {key: index for index, key in enumerate(concepts)}
    for row in kept:
        units[place[tuple(row[:3])], at[row[4], row[3]]] += row[5]
    member = np.array(
        [[category == name for name in categories] for category, _ in concepts], dtype=np.int64
    ).reshape(len(concepts), len(categories))
    return Profiles(
        run=run,
        models=tuple(column[1] for column in columns),
        layers=tuple(column[2] for column in columns),
        concepts=tuple(name for _, name in concepts),
        concept_categories=tuple(category for category, _ in concepts),
        categories=categories,
        units=read_only(units),
        all_units=read_only(units @ member),
        unique_concepts=read_only((units > 0).astype(np.int64) @ member),
        units_total=read_only(totals[:, 0].copy()),
        not_counted=read_only(totals[:, 1].copy()),
    )


def _dissected(project: Project, run: int) -> list[Column]:
    """The models and layers of a dissection run, in its order."""
    rows = project.rows("SELECT DISTINCT run, model, layer FROM unit WHERE run = ?", (run,))
    models = model_order(project, run, [row[1] for row in rows])
    layers = layer_order(project, models, [row[2] for row in rows])
    return sorted(
        ((row[0], row[1], row[2]) for row in rows),
        key=lambda column: (models.index(column[1]), layers.index(column[2])),
    )


def _embedded(project: Project, about: Any) -> list[Column]:
    """Where the units of each model of an embedding come from, in the order of the embedding."""
    parameters = run_parameters(about)
    recorded = _recorded_runs(project, about["id"])
    named = _named_runs(parameters)
    layer = str(parameters.get("layer") or "")
    members = {
        row[0]
        for row in project.rows(
            "SELECT model FROM run_model WHERE run = ? UNION"
            " SELECT model FROM embedding WHERE run = ?",
            (about["id"], about["id"]),
        )
    }
    found: dict[str, Column] = {}
    for run, model, of_layer in project.rows(
        "SELECT found.run, found.model, found.layer"
        " FROM (SELECT DISTINCT run, model, layer FROM unit) AS found"
        " LEFT JOIN layer ON layer.model = found.model AND layer.name = found.layer"
        " ORDER BY found.run, layer.position"
    ):
        suits = recorded.get(model) == run if recorded else not named or run in named
        if suits and model in members and (not layer or of_layer == layer):
            found[model] = (run, model, of_layer)  # the last is the newest
    return [found[model] for model in model_order(project, about["id"], list(found))]


def _recorded_runs(project: Project, run: int) -> dict[str, int]:
    """The dissection run that an embedding took the units of each of its models from.

    Empty where it has no results yet, or comes from a version that did not record it.
    """
    if not project.has_array(run, "embedding/sources"):
        return {}
    sources = project.read_array(run, "embedding/sources")
    if sources.ndim != 2 or sources.shape[1] != 2:  # files are untrusted
        return {}
    names = {row["id"]: row["name"] for row in project.rows("SELECT id, name FROM model")}
    return {names[model]: source for model, source in sources.tolist() if model in names}


def _named_runs(parameters: dict[str, Any]) -> frozenset[int]:
    """The dissection runs that an embedding is asked to be made from; none for any."""
    parts = (part.strip() for part in str(parameters.get("dissection") or "").split(","))
    return frozenset(int(part) for part in parts if part.isdecimal())


def _counted(
    project: Project, columns: Sequence[Column], parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Interpretable units by concept, at an embedding's own threshold, as rows of `profile`."""
    threshold = parameter_number(parameters, "iou_threshold")
    rows: list[tuple[Any, ...]] = []
    for column in columns:
        rows += (
            (*column, *row)
            for row in project.rows(
                "SELECT concept, category, COUNT(*) FROM unit"
                " WHERE run = ? AND model = ? AND layer = ? AND concept IS NOT NULL AND iou > ?"
                " AND (null_iou IS NULL OR iou > null_iou) GROUP BY concept, category",
                (*column, threshold if np.isfinite(threshold) else _IOU_THRESHOLD),
            )
        )
    return rows


def _unit_counts(project: Project, columns: Sequence[Column]) -> np.ndarray:
    """(columns, 2): units of each layer, and how many of them have no concept at all."""
    counts = [
        project.rows(
            "SELECT COUNT(*), coalesce(SUM(concept IS NULL), 0) FROM unit"
            " WHERE run = ? AND model = ? AND layer = ?",
            column,
        )[0]
        for column in columns
    ]
    return np.array([tuple(row) for row in counts], dtype=np.int64).reshape(-1, 2)


def threshold_sweep(project: Project, run: int) -> ThresholdSweep:
    """How many units and concepts stay as quantile and IoU threshold move.

    Ordered by model, layer, quantile and IoU threshold; arrays are empty when there is no sweep.
    Raises AuditError for an unknown run.
    """
    parameters = run_parameters(run_row(project, run))
    rows = project.rows(
        "SELECT model, layer, quantile, iou_threshold, units, concepts FROM threshold_sweep"
        " WHERE run = ?",
        (run,),
    )
    models, layers, quantiles, thresholds, units, concepts = unzip(rows, 6)
    order = np.lexsort(
        (
            as_floats(thresholds),
            as_floats(quantiles),
            places(layers, layer_order(project, models, layers)),
            places(models, model_order(project, run, models)),
        )
    )
    return ThresholdSweep(
        run=run,
        model=read_only(as_names(models)[order]),
        layer=read_only(as_names(layers)[order]),
        quantile=read_only(as_floats(quantiles)[order]),
        iou_threshold=read_only(as_floats(thresholds)[order]),
        units=read_only(as_integers(units)[order]),
        concepts=read_only(as_integers(concepts)[order]),
        run_quantile=parameter_number(parameters, "quantile"),
        run_iou_threshold=parameter_number(parameters, "iou_threshold"),
    )


def model_order(project: Project, run: int, names: Sequence[str]) -> tuple[str, ...]:
    """The distinct models of `names`: those of the run in its order, then the others by name."""
    listed = [
        row[0]
        for row in project.rows(
            "SELECT model FROM run_model WHERE run = ? ORDER BY position", (run,)
        )
    ]
    present = set(names)
    ordered = [name for name in listed if name in present]
    return (*ordered, *sorted(present.difference(ordered)))


def layer_order(project: Project, models: Sequence[str], layers: Sequence[str]) -> tuple[str, ...]:
    """The distinct layers of several models by their place in execution, then by name."""
    place: dict[str, int] = {}
    for model in set(models):
        for row in project.rows("SELECT name, position FROM layer WHERE model = ?", (model,)):
            place[row["name"]] = max(row["position"], place.get(row["name"], 0))
    return tuple(sorted(set(layers), key=lambda name: (place.get(name, len(place)), name)))


def category_rank(category: str) -> tuple[int, str]:
    """A key that sorts categories as the papers do."""
    if category in CATEGORY_ORDER:
        return CATEGORY_ORDER.index(category), category
    return len(CATEGORY_ORDER) + (category == TOTAL), category
