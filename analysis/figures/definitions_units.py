"""The figures of dissected units and of profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.parameters import parameter
from analysis.errors import AuditError
from analysis.figures.definition import FigureDefinition, no_results
from analysis.figures.slice_units import sliced_units
from analysis.figures.slices import SlicedParameters, slice_named
from analysis.figures.unit_data import Profiles, ThresholdSweep, UnitDetail, UnitTable
from analysis.figures.unit_readers import profiles, threshold_sweep, unit_details, unit_table
from analysis.figures.unit_tables import profiles_table, sweep_table, units_table
from analysis.name_lists import split_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.project import Project


@dataclass(frozen=True, kw_only=True)
class ProfilesFigureParameters:
    """Whose profiles are shown."""

    models: str = parameter("", "Only these models, separated by commas; empty means all")


@dataclass(frozen=True, kw_only=True)
class UnitsFigureParameters(SlicedParameters):
    """Which units are shown."""

    model: str = parameter("", "Only units of this model; empty means all models")
    concept: str = parameter(
        "", "Only units whose concept has this in its name; empty means all concepts"
    )
    units: int = parameter(12, "The units of highest IoU, at most this many", minimum=1, maximum=60)
    images: int = parameter(5, "Images shown of each unit", minimum=1, maximum=10)
    interpretable: bool = parameter(True, "Only units whose IoU is above threshold and chance")


@dataclass(frozen=True, kw_only=True)
class ThresholdSweepFigureParameters:
    """Which part of the sweep is shown."""

    quantile: float = parameter(
        0.0,
        "Share of activations above a unit's threshold; 0 means that of the run",
        minimum=0,
        maximum=1,
    )


def _read_profiles(project: Project, run: int, chosen: ProfilesFigureParameters) -> Profiles:
    whole = profiles(project, run)
    if not whole.models:
        raise no_results(run, "dissection")
    names = split_names(chosen.models)
    if not names:
        return whole
    for name in names:
        if name not in whole.models:
            raise _no_model(run, name, whole.models)
    return profiles(project, run, names)


def _no_model(run: int, name: str, known: tuple[str, ...]) -> AuditError:
    return AuditError(
        f"Run {run} has no units of a model “{name}”.", f"Its models are {', '.join(known)}."
    )


def _read_units(
    project: Project, run: int, chosen: UnitsFigureParameters
) -> tuple[UnitDetail, ...]:
    table = unit_table(project, run)
    if len(table.unit_id) == 0:
        raise no_results(run, "dissection")
    models = tuple(dict.fromkeys(table.model.tolist()))
    if chosen.model and chosen.model not in models:
        raise _no_model(run, chosen.model, models)
    ids = best_units(
        table, chosen.units, chosen.model, chosen.concept, interpretable=chosen.interpretable
    )
    if not ids:
        raise AuditError(
            f"No unit of run {run} fits this choice.",
            "Choose another concept, or set interpretable=false to see units at chance too.",
        )
    within = slice_named(project, chosen.slice)
    return unit_details(project, ids) if within is None else sliced_units(project, ids, within)


def best_units(
    data: UnitTable, amount: int, model: str = "", concept: str = "", *, interpretable: bool = True
) -> list[int]:
    """Ids of the units of highest IoU that fit a choice, highest first.

    :param model, concept: empty means all; a concept is found by a part of its name.
    """
    fits = data.concept != ""
    if model:
        fits &= data.model == model
    if interpretable:
        fits &= data.interpretable
    if concept:
        wanted = concept.casefold()
        names = {name: wanted in name.casefold() for name in set(data.concept.tolist())}
        fits &= np.array([names[name] for name in data.concept], dtype=bool)
    chosen = np.flatnonzero(fits & np.isfinite(data.iou))
    order = np.argsort(-data.iou[chosen], kind="stable")[:amount]
    return [int(unit) for unit in data.unit_id[chosen[order]]]


def _read_sweep(
    project: Project, run: int, chosen: ThresholdSweepFigureParameters
) -> ThresholdSweep:
    data = threshold_sweep(project, run)
    if len(data.units) == 0:
        raise no_results(run, "dissection")
    _shown_quantile(data, chosen.quantile)
    return data


def _shown_quantile(data: ThresholdSweep, wanted: float) -> float:
    """The quantile of the sweep that is asked for; of an unspecified one, the run's or the first.

    Raises AuditError for one that the sweep does not have.
    """
    known = np.unique(data.quantile)
    asked = wanted or data.run_quantile
    for quantile in known:
        if np.isclose(quantile, asked):
            return float(quantile)
    if wanted:
        raise AuditError(
            f"Run {data.run} has no sweep at the quantile {wanted:g}.",
            f"Its quantiles are {', '.join(f'{quantile:g}' for quantile in known)}.",
        )
    return float(known[0])


def _render_profiles(
    project: Project, data: Profiles, chosen: ProfilesFigureParameters, width_mm: float
) -> Figure:
    from analysis.figures.render_profiles import render_profiles

    return render_profiles(data, width_mm)


def _render_units(
    project: Project,
    data: tuple[UnitDetail, ...],
    chosen: UnitsFigureParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_units import render_units, square_tiles
    from analysis.figures.thumbnails import patch_tiles

    tiles = patch_tiles(project, square_tiles(data, chosen.images))
    return render_units(data, tiles, width_mm, chosen.images)


def _render_sweep(
    project: Project,
    data: ThresholdSweep,
    chosen: ThresholdSweepFigureParameters,
    width_mm: float,
) -> Figure:
    from analysis.figures.render_profiles import render_threshold_sweep

    return render_threshold_sweep(data, _shown_quantile(data, chosen.quantile), width_mm)


UNIT_FIGURES = (
    FigureDefinition(
        "profiles",
        "Dissect profiles",
        "How many units of each model know a concept, and how many concepts, by category",
        "dissection",
        ProfilesFigureParameters,
        _read_profiles,
        _render_profiles,
        profiles_table,
        more_audits=("embedding",),
    ),
    FigureDefinition(
        "units",
        "Units and their images",
        "The units of highest IoU with the images that activate them most",
        "dissection",
        UnitsFigureParameters,
        _read_units,
        _render_units,
        units_table,
    ),
    FigureDefinition(
        "threshold-sweep",
        "Interpretable units by threshold",
        "How many units and concepts are left as the IoU threshold rises",
        "dissection",
        ThresholdSweepFigureParameters,
        _read_sweep,
        _render_sweep,
        sweep_table,
        table="threshold_sweep",
    ),
)
