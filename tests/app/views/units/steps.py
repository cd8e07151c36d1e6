"""Made-up units, and what tests of their view look up."""

from __future__ import annotations

import numpy as np

from analysis.figures.unit_data import (
    ThresholdSweep,
    UnitCandidate,
    UnitDetail,
    UnitPatch,
    UnitTable,
)

MODELS = ("Lite0", "Lite2", "ViT")
NAN = float("nan")


def units(per_model: int = 40, nulls: bool = True) -> UnitTable:
    """Three models; ids in no order. Every 4th unit knows wheel, the others sky or grass."""
    rng = np.random.default_rng(0)
    number = per_model * len(MODELS)
    place = np.arange(number) % per_model
    concept = np.array(["wheel", "sky", "grass", "wheel-t"])[place % 4]
    category = np.array(["object", "object", "object", "part"], dtype="U20")[place % 4]
    iou = 0.01 + 0.3 * rng.random(number)
    null = np.where(place % 5 == 0, 0.5, 0.03) if nulls else np.full(number, NAN)
    for odd, name in ((per_model - 1, "dead"), (per_model - 2, "not a number")):
        category[place == odd], concept[place == odd], iou[place == odd] = name, "", NAN
    beyond = np.isnan(null) | (iou > null)
    return UnitTable(
        run=4,
        quantile=0.01,
        iou_threshold=0.04,
        unit_id=(rng.permutation(number) + 700).astype(np.int64),
        model=np.repeat(np.array(MODELS), per_model),
        layer=np.full(number, "blocks.6" if nulls else "imported"),
        unit=place,
        concept=concept,
        category=category,
        iou=iou,
        null_iou=null,
        p=np.where(beyond, 0.01, 0.4) if nulls else np.full(number, NAN),
        interpretable=np.nan_to_num(iou) > 0.04,
        threshold=np.full(number, 1.5) if nulls else np.full(number, NAN),
        active_fraction=np.full(number, 0.0099) if nulls else np.full(number, NAN),
    )


def detail(table: UnitTable, unit: int, pictures: int = 4) -> UnitDetail:
    """What a project file says of one unit of the table."""
    row = int(np.flatnonzero(table.unit_id == unit)[0])
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:5, 3:6] = True
    patches = tuple(
        UnitPatch(
            unit * 10 + rank, rank, unit + rank, 30, 20, 30, 30, 5.0 - rank, mask, (0, 0, 80, 80)
        )
        for rank in range(pictures)
    )
    score = float(table.iou[row])
    return UnitDetail(
        unit_id=unit,
        run=table.run,
        model=str(table.model[row]),
        layer=str(table.layer[row]),
        unit=int(table.unit[row]),
        concept=str(table.concept[row]),
        category=str(table.category[row]),
        iou=score,
        null_iou=float(table.null_iou[row]),
        p=float(table.p[row]),
        interpretable=bool(table.interpretable[row]),
        threshold=float(table.threshold[row]),
        active_fraction=float(table.active_fraction[row]),
        candidates=(
            UnitCandidate(str(table.concept[row]), str(table.category[row]), score),
            UnitCandidate("fur", "material", score / 2),
        ),
        patches=patches,
    )


def sweep() -> ThresholdSweep:
    """Two quantiles of three models at five thresholds."""
    model, quantile, level = (
        part.ravel()
        for part in np.meshgrid(MODELS, [0.005, 0.01], np.arange(5) / 25, indexing="ij")
    )
    amounts = np.round(100 * np.exp(-20 * level) * (1 + quantile)).astype(int)
    return ThresholdSweep(
        4, model, np.full(len(model), "blocks.6"), quantile, level, amounts, amounts // 4
    )


def row_of(table: UnitTable, unit: int) -> int:
    return int(np.flatnonzero(table.unit_id == unit)[0])


def counted(table: UnitTable, threshold: float) -> np.ndarray:
    """Interpretable units, by a plain loop."""
    result = []
    for row in range(len(table.unit_id)):
        score, null = float(table.iou[row]), float(table.null_iou[row])
        beyond = np.isnan(null) or score > null
        named = table.category[row] not in ("dead", "failed threshold", "not a number")
        result.append(bool(named and score > threshold and beyond))
    return np.array(result)
