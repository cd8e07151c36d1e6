"""What the results of a project say: the chapters of a report, its tables of models and data.

Which of it stands in a report, and in which order, is said by a composition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures import report_words
from analysis.figures.columns import run_parameters
from analysis.figures.data import ConceptDetail, ConceptPoints, LayerSimilarity
from analysis.figures.export import prepare_figure
from analysis.figures.provenance import image_provenance, without_folder
from analysis.figures.render_concepts import regions
from analysis.figures.report_embedding import embedding_section, evaluation_section
from analysis.figures.report_layers import other_measures
from analysis.figures.report_parts import (
    Picture,
    ReportTable,
    Section,
    parameters_table,
    picture_of,
    state_sentence,
)
from analysis.figures.report_saliency import saliency_section
from analysis.figures.report_semantics import semantics_section
from analysis.figures.report_units import dissection_section
from analysis.figures.run_results import Standing, has_results, newest, run_standings
from analysis.figures.selection import telling_concepts
from analysis.figures.words import count, interval, number, plain
from analysis.project import IMPORTED

if TYPE_CHECKING:
    from analysis.project import Project

_TELLING_A_SIDE = 3
_PROBLEMS_SHOWN = 20
_MODELS_SHOWN = 4
_WITH_PRESETS = ("embedding", "saliency")


def nothing_to_report() -> AuditError:
    return AuditError(
        "This project has no results to report yet.",
        "Start an audit first: `parallax run FILE concepts` or `parallax run FILE layers`.",
    )


def run_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on a run (a row of the table), and a sentence that sums it up.

    Raises AuditError where the run has no results or is of an audit that reports do not know.
    """
    section = _SECTIONS.get(run["audit"])
    if section is None or not has_results(project, run["id"], run["audit"]):
        raise AuditError(
            f"Run {run['id']} has no results to report yet.", "Let it go on, or leave it out."
        )
    return section(project, run)


def reported_runs(project: Project) -> list[Any]:
    """The newest run with results of every audit and its models, in the order of the audits."""
    rows = {row["id"]: row for row in project.rows("SELECT * FROM run ORDER BY id")}
    alike: dict[tuple[Any, ...], dict[int, Standing]] = {}
    for run, standing in run_standings(project).items():
        key = (rows[run]["audit"], project.run_models(run), _kind(rows[run]))
        alike.setdefault(key, {})[run] = standing
    order = list(_SECTIONS)
    reported = [rows[run] for run in map(newest, alike.values()) if run is not None]
    return sorted(reported, key=lambda row: (order.index(row["audit"]), row["id"]))


def _kind(run: Any) -> tuple[str, bool]:
    """What runs of the same models are reported side by side for: presets, and imported tables."""
    parameters = run_parameters(run)
    preset = str(parameters.get("preset", "")) if run["audit"] in _WITH_PRESETS else ""
    return preset, bool(parameters.get("imported"))


def models_table(project: Project) -> ReportTable:
    """Every model with what identifies it."""
    rows = project.rows("SELECT * FROM model ORDER BY position, id")
    return ReportTable(
        ("model", "specification", "classes", "weights (SHA-256)"),
        tuple(
            (
                plain(row["name"]),
                plain(without_folder(row["specification"])),
                _classes(row),
                row["weights_sha256"] or ("none" if row["library"] == IMPORTED else "not known"),
            )
            for row in rows
        ),
    )


def _classes(model: Any) -> str:
    if model["library"] == IMPORTED:
        return "from an imported table"
    return f"{model['num_classes']:,}" if model["num_classes"] else "no classification head"


def images_table(project: Project) -> ReportTable:
    """Every image set with one hash over all its images."""
    rows = []
    for image_set, name, kind in project.rows("SELECT id, name, kind FROM image_set ORDER BY id"):
        about = image_provenance(project, image_set) or {}
        labels = project.value(
            "SELECT COUNT(DISTINCT label) FROM image WHERE image_set = ?", (image_set,)
        )
        rejected = project.value(
            "SELECT COUNT(*) FROM rejected_image WHERE image_set = ?", (image_set,)
        )
        rows.append(
            (
                plain(name),
                plain(kind),
                f"{about['count']:,}",
                f"{labels:,}",
                f"{rejected:,}",
                about["sha256"],
            )
        )
    columns = ("image set", "kind", "images", "labels", "left out", "all images (SHA-256)")
    return ReportTable(columns, tuple(rows))


def runs_table(project: Project) -> ReportTable:
    """Every run, what it was about and how far it came."""
    rows = []
    for row in project.rows("SELECT * FROM run ORDER BY id"):
        done = project.value(
            "SELECT COUNT(*) FROM work_unit WHERE run = ? AND state = 'done'", (row["id"],)
        )
        units = f"{done:,} of {row['units_total']:,}" if row["units_total"] else f"{done:,}"
        rows.append(
            (
                str(row["id"]),
                plain(row["audit"]),
                _run_models(project, row),
                plain(row["state"]),
                units,
                plain(row["device"] or "not started"),
                plain(row["finished"] or "not finished")[:16].replace("T", " "),
            )
        )
    columns = ("run", "audit", "models", "state", "units of work done", "device", "finished")
    return ReportTable(columns, tuple(rows))


def _run_models(project: Project, run: Any) -> str:
    """A pair as A ⇄ B; of a longer list the first ones and how many there are."""
    if run["model_a"] is not None:
        return plain(f"{run['model_a']} ⇄ {run['model_b']}")
    models = project.run_models(run["id"])
    shown = plain(", ".join(models[:_MODELS_SHOWN]))
    return shown if len(models) <= _MODELS_SHOWN else f"{shown}, … ({len(models)} models)"


def problems_table(project: Project) -> ReportTable:
    """What could not be used, and why."""
    rows = [
        (f"run {run}", plain(subject), plain(reason))
        for run, subject, reason in project.rows(
            "SELECT run, subject, reason FROM problem ORDER BY id LIMIT ?", (_PROBLEMS_SHOWN + 1,)
        )
    ]
    rows += [
        (plain(name), plain(path), plain(reason))
        for name, path, reason in project.rows(
            "SELECT name, path, reason FROM rejected_image"
            " JOIN image_set ON image_set.id = rejected_image.image_set"
            " ORDER BY rejected_image.id LIMIT ?",
            (_PROBLEMS_SHOWN + 1,),
        )
    ]
    total = project.value("SELECT COUNT(*) FROM problem") + project.value(
        "SELECT COUNT(*) FROM rejected_image"
    )
    shown = rows[:_PROBLEMS_SHOWN]
    if total > len(shown):
        shown.append(("…", f"{count(total - len(shown), 'more')[:-1]}", "listed in the project"))
    return ReportTable(("where", "what", "why it was left out"), tuple(shown))


def _pair(run: Any) -> str:
    return f"{plain(run['model_a'])} (A) and {plain(run['model_b'])} (B)"


def _layers_section(project: Project, run: Any) -> tuple[Section, str]:
    prepared = prepare_figure(project, "layers", run["id"])
    data: LayerSimilarity = prepared.data
    best = _best_pair(data)
    sentence = (
        f"Of the layers of {_pair(run)}, {best[0]} of A and {best[1]} of B are most alike"
        f" (MMCS {best[2]})."
    )
    above = data.values > data.null_95
    known = np.isfinite(data.values) & np.isfinite(data.null_95)
    share = (
        f"{int((above & known).sum())} of {int(known.sum())} pairs of layers are more alike than"
        " chance would make them."
        if known.any()
        else "For these pairs of layers it is not known what chance would give."
    )
    classes = f"{data.classes_done:,} of {count(data.classes_total, 'class', 'classes')}"
    picture = picture_of(
        prepared,
        f"Heatmap of the similarity of {len(data.layers_a)} layers of A and"
        f" {len(data.layers_b)} layers of B",
        f"Mean maximum concept similarity of layers, run {run['id']}.",
    )
    section = Section(
        f"Layers of {_pair(run)}",
        (
            sentence + state_sentence(run),
            f"{share} The means are over {classes}.{other_measures(project, run['id'])}",
        ),
        report_words.HOW_TO_READ_LAYERS,
        (picture,),
        parameters_table(run),
    )
    return section, sentence


def _best_pair(data: LayerSimilarity) -> tuple[str, str, str]:
    if not np.isfinite(data.values).any():
        return "none", "none", "not computed yet"
    row, column = np.unravel_index(np.nanargmax(data.values), data.values.shape)
    words = interval(data.values[row, column], data.ci_low[row, column], data.ci_high[row, column])
    return plain(data.layers_a[row]), plain(data.layers_b[column]), words


def _concepts_section(project: Project, run: Any) -> tuple[Section, str]:
    prepared = prepare_figure(project, "concepts", run["id"])
    data: ConceptPoints = prepared.data
    sentences = [_side_sentence(data, side) for side in "ab"]
    pictures = [
        picture_of(
            prepared,
            "Scatter plots of similarity and importance of the concepts of both models",
            f"Similarity and importance of every concept, run {run['id']}.",
        )
    ]
    if project.value("SELECT 1 FROM replacement WHERE run = ? LIMIT 1", (run["id"],)):
        replacement = prepare_figure(project, "replacement", run["id"])
        pictures.append(
            picture_of(
                replacement,
                "Scatter plots of the replacement test",
                "What changes in a model when a concept is replaced by its prediction.",
            )
        )
    for side in "ab":
        for concept in telling_concepts(data, _TELLING_A_SIDE, side):
            pictures.append(_concept_picture(project, run["id"], concept))
    section = Section(
        f"Concepts of {_pair(run)}",
        tuple(sentences) + ((state_sentence(run).strip(),) if state_sentence(run) else ()),
        report_words.HOW_TO_READ_CONCEPTS,
        tuple(pictures),
        parameters_table(run),
    )
    return section, " ".join(sentences)


def _side_sentence(data: ConceptPoints, side: str) -> str:
    own, other = data.model_a, data.model_b
    if side == "b":
        own, other = other, own
    of_side = data.side == side
    similarity = data.cmcs_pearson[of_side]
    known = np.isfinite(similarity)
    if not known.any():
        return f"The concepts of {plain(own)} have no similarities yet."
    above = int((similarity[known] > data.null_95[of_side][known]).sum())
    median = number(float(np.median(similarity[known])))
    text = (
        f"{plain(other)} predicts {above:,} of {count(int(known.sum()), 'concept')} of"
        f" {plain(own)} better than chance (median CMCS {median})"
    )
    region = regions(similarity, data.importance[of_side], 0.5, 0.3)
    if not np.isfinite(data.importance[of_side]).any():
        return f"{text}; without a classification head their importance is not known."
    return f"{text}; important to {plain(own)} and unlike: {int((region == 3).sum()):,}."


def _concept_picture(project: Project, run: int, concept: int) -> Picture:
    prepared = prepare_figure(project, "concept", run, concept=concept)
    detail: ConceptDetail = prepared.data
    sentence = concept_sentence(detail)
    return picture_of(prepared, sentence, sentence)


def concept_sentence(detail: ConceptDetail) -> str:
    """One concept's result in a sentence."""
    verb = "predicts"
    if np.isfinite(detail.null_95) and detail.cmcs_pearson <= detail.null_95:
        verb = "cannot predict"
    elif detail.cmcs_pearson < 0.5:
        verb = "hardly predicts"
    score = interval(detail.cmcs_pearson, detail.ci_low, detail.ci_high)
    chance = f", chance {number(detail.null_95)}" if np.isfinite(detail.null_95) else ""
    importance = (
        f", importance {number(detail.importance)}" if np.isfinite(detail.importance) else ""
    )
    return (
        f"{plain(detail.predictor_model)} {verb} concept {detail.concept} of class"
        f" {plain(detail.class_name)} of {plain(detail.target_model)}"
        f" (CMCS {score}{chance}{importance})."
    )


_SECTIONS: Mapping[str, Callable[..., tuple[Section, str]]] = {
    "layers": _layers_section,
    "concepts": _concepts_section,
    "dissection": dissection_section,
    "evaluation": evaluation_section,
    "embedding": embedding_section,
    "saliency": saliency_section,
    "semantics": semantics_section,
}
