"""The fixed sentences of a report, and the command lines that make its numbers again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.figures.provenance import json_value, without_folder
from analysis.figures.words import plain

if TYPE_CHECKING:
    from analysis.project import Project

HOW_TO_READ_LAYERS = (
    "Each cell compares one layer of A (row) with one layer of B (column). For every concept of"
    " one layer the most similar concept of the other is found by the correlation of their"
    " coefficients over the same image patches; the cell is the mean over concepts, classes and"
    " both directions (mean maximum concept similarity, MMCS).",
    "Bright means alike. Hatched cells are no more alike than layers whose images were shuffled"
    " against one another (95 % of shuffles stay below the mark “chance” on the colour bar).",
    "A bright diagonal says that layers at the same relative depth hold the same concepts; a pale"
    " last row or column says that the models come to their decisions by different concepts.",
)

HOW_TO_READ_CONCEPTS = (
    "A concept is a direction in a model's activations that is found by a non-negative"
    " factorisation of the activations of a class's image patches. The other model's activations"
    " then predict, by a sparse linear regression, how strongly each held-out patch shows the"
    " concept; the correlation of predicted and real coefficients is the cross-model concept"
    " similarity (CMCS). The interval in brackets is a 95 % bootstrap over images.",
    "Importance says how much a concept contributes to the model's own decision for the class,"
    " as a share of the model's most important concept. Concepts at the upper left matter to one"
    " model and are unknown to the other: they are the ones to look at.",
    "In the replacement test a concept's coefficients are replaced by their prediction. Points"
    " far to the right are concepts that the other model predicts worse than the model itself"
    " does; the higher the distance or divergence, the more the model's behaviour depends on"
    " what the other model does not see.",
    "For the most telling concepts (high importance × low similarity) three rows of patches are"
    " shown: = where the concept is really strongest, ▲ where the other model sees it although it"
    " is not there, ▼ where the other model misses it. Under each patch: real → predicted"
    " coefficient.",
)

LIMITS = (
    "A concept is what the factorisation finds, not what the network “means”. Another number of"
    " components or another seed may give other concepts; the stability next to each concept says"
    " how well it was found again.",
    "The reconstruction error says how much of the activations the concepts leave out. What is"
    " left out is not compared.",
    "Low similarity means that a sparse linear regression could not predict the concept from the"
    " chosen layer. The other model may still hold it in another layer or in a non-linear form.",
    "High similarity does not mean that both models use the concept for the same purpose.",
    "Patches are resized crops, which networks were not trained on; concepts larger than a patch"
    " cannot be found.",
    "Intervals cover the choice of images from these image sets, not other data, other training"
    " runs or other preprocessing. Many concepts are tested at once: a few of those just above"
    " chance are there by chance.",
    "Importance is an attribution by integrated gradients. It follows the model's own logic, it is"
    " not a causal effect on other data.",
)


def commands(project: Project, runs: Sequence[Any]) -> tuple[str, ...]:
    """Command lines that make the reported runs again; FOLDER and file names stand for paths."""
    file = shlex.quote(plain(project.path.name))
    names = {name for run in runs for name in (run["model_a"], run["model_b"])}
    sets = {run["image_set"] for run in runs}
    new = [f"parallax new {file}"]
    for image_set, name in project.rows("SELECT id, name FROM image_set ORDER BY id"):
        if image_set in sets:
            new.append(f"--images {shlex.quote(plain(name) + '=FOLDER')}")
    for row in project.rows("SELECT name, specification FROM model ORDER BY position, id"):
        if row["name"] in names:
            specification = without_folder(row["specification"])
            new.append(f"--model {shlex.quote(plain(row['name'] + '=' + specification))}")
    lines = [" ".join(new)]
    for run in runs:
        parts = [f"parallax run {file} {run['audit']}"]
        parts += [f"--models {shlex.quote(plain(run[side]))}" for side in ("model_a", "model_b")]
        parts += [
            f"--set {shlex.quote(f'{name}={_text(value)}')}"
            for name, value in sorted((json_value(run["parameters"]) or {}).items())
            if value not in ("", None)
        ]
        lines.append(" ".join(parts))
        lines += [
            f"parallax export {file} --figure {figure} -o {figure}.pdf"
            for figure in (
                ("layers",) if run["audit"] == "layers" else ("concepts", "concept", "replacement")
            )
        ]
    return tuple(dict.fromkeys(lines))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(plain(item) for item in value)
    return plain(value)
