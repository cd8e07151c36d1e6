"""The chapter of a report on dissected units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.figures import report_words
from analysis.figures.export import prepare_figure
from analysis.figures.report_parts import (
    Picture,
    Section,
    parameters_table,
    picture_of,
    state_sentence,
)
from analysis.figures.unit_data import Profiles
from analysis.figures.words import count, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_UNITS_SHOWN = 8


def dissection_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on a dissection run, and a sentence that sums it up."""
    prepared = prepare_figure(project, "profiles", run["id"])
    data: Profiles = prepared.data
    sentence = _counts_sentence(data)
    pictures = [
        picture_of(
            prepared,
            f"Bars of the interpretable units of {count(len(data.models), 'model')} by category",
            f"Interpretable units and different concepts by category, run {run['id']}.",
        )
    ]
    pictures += _units_picture(project, run["id"])
    if _has_rows(project, "threshold_sweep", run["id"]):
        pictures.append(
            picture_of(
                prepare_figure(project, "threshold-sweep", run["id"]),
                "Lines of interpretable units against the IoU threshold",
                "How many units and concepts are left as the IoU threshold rises.",
            )
        )
    section = Section(
        f"Units of {_models(data)}",
        (sentence + state_sentence(run), *_null_sentences(project, run["id"], data)),
        report_words.HOW_TO_READ_UNITS,
        tuple(pictures),
        parameters_table(run),
    )
    return section, sentence


def _models(data: Profiles) -> str:
    names = list(dict.fromkeys(data.models))
    return plain(names[0]) if len(names) == 1 else f"{len(names)} models"


def _counts_sentence(data: Profiles) -> str:
    """The models with most and fewest interpretable units, by their share."""
    found = data.all_units.sum(axis=1)
    share = found / data.units_total.clip(min=1)
    texts = []
    for place in dict.fromkeys((int(share.argmax()), int(share.argmin()))):
        concepts = int(data.unique_concepts[place].sum())
        texts.append(
            f"{found[place]:,} of {count(int(data.units_total[place]), 'unit')} of"
            f" {plain(data.models[place])} ({number(100 * float(share[place]), 0)} %) know"
            f" {count(concepts, 'concept')}"
        )
    return "; ".join(texts) + "."


def _null_sentences(project: Project, run: int, data: Profiles) -> list[str]:
    sentences = []
    above, beaten = project.rows(
        "SELECT COUNT(*), coalesce(SUM(iou > null_iou), 0) FROM unit"
        " WHERE run = ? AND concept IS NOT NULL AND null_iou IS NOT NULL",
        (run,),
    )[0]
    if above:
        sentences.append(
            f"Of {count(above, 'unit')} with a concept {beaten:,} overlap with it more than chance"
            " would make them."
        )
    else:
        sentences.append("What chance would give is not known for these units.")
    lost = int(data.not_counted.sum())
    if lost:
        were = "was" if lost == 1 else "were"
        sentences.append(
            f"{count(lost, 'unit')} {were} not counted: dead, without a threshold or not numbers."
        )
    return sentences


def _units_picture(project: Project, run: int) -> list[Picture]:
    """The units of highest IoU with their images, if the run kept any."""
    interpretable = project.value(
        "SELECT 1 FROM unit WHERE run = ? AND interpretable AND concept IS NOT NULL LIMIT 1", (run,)
    )
    if not interpretable or not _has_rows(project, "unit_patch", run):
        return []
    prepared = prepare_figure(project, "units", run, units=_UNITS_SHOWN)
    text = f"The {count(len(prepared.data), 'unit')} of highest IoU with their top images."
    return [picture_of(prepared, text, text)]


def _has_rows(project: Project, table: str, run: int) -> bool:
    return bool(project.value(f"SELECT 1 FROM {table} WHERE run = ? LIMIT 1", (run,)))
