"""The fixed sentences of a report, and the command lines that make its numbers again."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from analysis.figures.provenance import json_value, without_folder
from analysis.figures.words import plain
from analysis.project import IMPORTED

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
    "Beside it stand measures that know no concepts, over the same patches. Debiased linear CKA"
    " compares inner products of patches; RSA the ranks of their dissimilarities (1 − Pearson);"
    " Procrustes how well one layer, rotated, fits the other: it is high by chance where a layer"
    " has more features than there are patches, and means nothing without its chance level.",
    "Their intervals and that of MMCS by ranks come from leaving images out one after another"
    " (jackknife): to draw images twice, as the bootstrap does, would make pairs of a patch with"
    " itself, on which all models agree. The chance of Procrustes rests on few shuffles of each"
    " class and a normal law.",
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

HOW_TO_READ_UNITS = (
    "A unit is a channel or a token feature of a layer. Where its activation is above a threshold"
    " that only a small share of all activations exceeds (the quantile, 1 % if nothing else is"
    " said), it is called active. The overlap of active places with the places of a labelled"
    " concept is their intersection over union (IoU), summed over all images.",
    "A unit stands for the concept of highest IoU. It counts as interpretable if that IoU is above"
    " the IoU threshold and above its chance level: what the best of all concepts reaches for the"
    " same unit when labels are shuffled between images (95 % of shuffles stay below). The usual"
    " threshold of 0.04 is a convention; by itself it says nothing about chance. A table that was"
    " imported has no chance level, and its units are judged by the threshold alone.",
    "The left bars count units (many units may know the same concept), the right bars different"
    " concepts. Units that never fire, whose threshold could not be found or whose activations are"
    " not numbers are not counted for any concept.",
    "In each picture of a unit the place where it is active is bright and outlined.",
)

HOW_TO_READ_EMBEDDING = (
    "Each model is described by how many of its units stand for each concept, divided by how many"
    " concepts the category has. The principal components of these numbers place the models; models"
    " close together have learned the same concepts by similar numbers of units. Distances mean"
    " the same in every direction of the plot.",
    "The ellipse around a model holds 95 % of where it would lie if its units were drawn anew."
    " Models that overlap by their ellipses cannot be told apart by the number of units at hand."
    " A hollow sign is a model that was only placed into the finished embedding.",
    "A component is above chance if it explains more variance than in 95 % of tables whose columns"
    " were shuffled independently (parallel analysis). Components that are not should not be"
    " interpreted.",
    "Loadings say which concepts move a model along a component.",
    "In the tables of correlations, coloured cells survive the correction for testing many"
    " (Benjamini–Hochberg over the whole table, p by permutation of models); grey ones do not.",
    "Stability says how often the groups stay the same, and how far models move, when units are"
    " drawn anew, a model is left out or the IoU threshold changes.",
)

HOW_TO_READ_EVALUATION = (
    "k-NN and prototypes judge the features as they are; the linear probe trains one layer on them."
    " Every image is predicted by a classifier that has not seen it. The interval in brackets is a"
    " 95 % bootstrap over images.",
    "Performance that was imported is shown as it stood in its table, without intervals.",
    "In the table of ensembles the diagonal holds the accuracy of each model, the other cells what"
    " the weighted soft vote of two models gains over the better of them. Gains whose 95 %"
    " interval holds 0 are grey.",
)

HOW_TO_READ_SLICES = (
    "Over a slice a model is judged by its predictions of the slice's images alone; n says how many"
    " of them were tested. By chance: what a model would reach if it gave its answers blindly, each"
    " as often as over all images. A slice that was chosen by the answers of models tells nothing"
    " new about those models."
)

HOW_TO_READ_SALIENCY = (
    "A saliency map says how important each place of an image is to a model, by one method."
    " Every map is shown from its own least to its own most important place: colours of two maps"
    " are not the same amounts. All models see the same square of the image. Under a picture or a"
    " map stands the class that is explained, with its probability; methods without a class"
    " explain none.",
    "Null maps know nothing of the model: uniform noise, a spot in the image's centre, the"
    " image's edges. Their range is the coloured bar behind the points; a method whose interval"
    " lies in it says no more about the model than they do, as far as this metric can tell.",
    "Insertion and deletion: pixels come in, or go out, from the most important on, and the"
    " model's probability is followed; the area under the curve is the score. Average drop and"
    " increase: the image is multiplied by the map. ROAD: pixels are filled in from their"
    " neighbours. Pointing game and energy inside: how far the map lies on the labelled object."
    " Sparseness and complexity describe the map alone.",
    "Intervals are 95 % bootstraps over images. A ring in the figure, and ★ in the tables, mark"
    " a method that is best because paired tests over the same images, adjusted for their number,"
    " tell it from every other method of that model. Without the mark the first place is not"
    " certain.",
)

HOW_TO_READ_SEMANTICS = (
    "A concept given by examples is told from other images by linear classifiers on a layer's"
    " activations; the mean of their normals is the concept's vector. The accuracy on held-out"
    " examples (0.50 is guessing) says whether the layer knows the concept. A vector that is no"
    " better than with permuted labels does not separate: it is marked so, and nothing is"
    " concluded from it.",
    "Similarity of feature spaces (SFSS): in each of two layers every image gets a number, the"
    " cosine between its activations and the concept's vector; SFSS is Pearson's correlation of"
    " both numbers over the images, and the mean over concepts. Hatched pairs of layers are no more"
    " alike than layers whose images were shuffled, with the correction for having looked at all"
    " pairs; in empty ones the concept does not separate.",
    "TCAV: the share of a class's images whose class score rises when the activations move towards"
    " the concept. The grey range holds 95 % of random concepts. A score of 0.50 means nothing by"
    " itself, and neither does one far from it that lies within the grey range.",
    "Found concepts need no examples: the maps of a layer are factorised, and a concept is numbered"
    " from 0. Its mask in an image is where its map, enlarged to the image, is above the"
    " threshold. UCS of two concepts is the mean over images of the overlap of their masks"
    " (intersection over union); images in which neither has a mask do not count.",
    "Chance for UCS is what masks share when the images of one side are shuffled. It is not 0,"
    " since masks have sizes and like the middle of pictures: compare with it, not with 0. A frame"
    " marks the best assignment of concepts to one another. A match that stays above chance as the"
    " threshold rises is robust. “Change of scores” says how far the model's scores move when a"
    " layer is replaced by what its concepts keep of it (0: not at all).",
)

COMPARISON_LIMITS = (
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
    "Intervals of layers hold for patches and classes as they were chosen, and for so many images:"
    " Procrustes falls as images are added, and so does its chance level. Images of one class are"
    " shuffled among themselves: what all images of a class share is not in the chance level.",
    "Importance is an attribution by integrated gradients. It follows the model's own logic, it is"
    " not a causal effect on other data.",
)

UNIT_LIMITS = (
    "Profiles count interpretable units only. What the other units do is not described, and a"
    " concept may be held by several units together without any of them standing for it.",
    "A unit can only be given a concept that is labelled in these images. Another vocabulary,"
    " other images or another threshold may give it another name; the scores of further candidates"
    " are in the project.",
    "An IoU above chance says that a unit and a concept go together, not that the unit is used for"
    " the concept, nor that it responds to nothing else.",
)

EMBEDDING_LIMITS = (
    "An embedding of few models is a description of these models. Another choice of models gives"
    " other components, groups and correlations; correlations over a dozen models are uncertain"
    " even where they survive the correction.",
    "A component may be little more than a single concept, above all one of a small category, whose"
    " counts are divided by a small number. The loadings and the plot of its strongest concept"
    " tell.",
    "Groups come from k-means, which gives groups also where there are none. A silhouette that is"
    " low or prefers another number, and groups that change when a model is left out, say so.",
    "Components go together with performance across models; they do not explain it.",
)

EVALUATION_LIMITS = (
    "Accuracies hold for these images and labels, and for features of the layer that was read."
    " Numbers of an imported table come from other images and methods and cannot be compared with"
    " them.",
)

SALIENCY_LIMITS = (
    "A saliency map shows where a method puts importance, not why the model decides as it does."
    " Faithfulness metrics measure one reading of importance each and often disagree; no one of"
    " them settles which map is right.",
    "Masked, blurred and grey images are unlike what the models were trained on. A falling"
    " probability may come from the strange image rather than from what was taken away; another"
    " baseline, number of steps or size of image gives other numbers, so scores of different"
    " papers and settings cannot be compared.",
    "Where many pixels of a map have the same value their order in insertion and deletion is"
    " only that of the raster. The share of such pixels is told with each method.",
    "That a map lies on the labelled object does not mean that the model is right to look there,"
    " nor that a map elsewhere is wrong: models use backgrounds.",
    "Maps of a low resolution are enlarged for display; what lies between their places is not"
    " known.",
)

SEMANTICS_LIMITS = (
    "SFSS and UCS are computed from the published formulas alone. The authors' own code, layers,"
    " concepts and numbers were not available, so results here cannot be held against theirs.",
    "A concept is what its examples have in common as against the negatives, which may be a"
    " background, a colour or a camera rather than what its name says. Other examples or negatives"
    " give another vector.",
    "High SFSS says that two layers rank these images alike by a concept. It does not say that they"
    " use it for the same decisions, and a few strong concepts can carry the mean.",
    "UCS depends on the size of masks: large masks overlap by chance, which is why its chance level"
    " is told for every pair. Where masks are scaled by the largest value in each image, every"
    " image has a mask even if the concept is not in it, and UCS is too high.",
    "Found concepts depend on their number and on the seed. Negative activations are set to zero or"
    " taken apart before the factorisation; what that loses is not compared.",
    "A model that says untrained has random weights. What it shares with another comes from the"
    " pictures and the architecture, not from learning; it is a baseline, not a finding.",
    "Masks are enlarged from the layer's own resolution. Detectors are read by their backbones:"
    " boxes and their classes are not compared.",
)


def limits(audits: Collection[str]) -> tuple[str, ...]:
    """What the results of these audits cannot say."""
    sentences: tuple[str, ...] = ()
    if {"layers", "concepts"} & set(audits):
        sentences += COMPARISON_LIMITS
    for audit, more in (
        ("dissection", UNIT_LIMITS),
        ("embedding", EMBEDDING_LIMITS),
        ("evaluation", EVALUATION_LIMITS),
        ("saliency", SALIENCY_LIMITS),
        ("semantics", SEMANTICS_LIMITS),
    ):
        if audit in audits:
            sentences += more
    return sentences


_FIGURES = {
    "layers": ("layers",),
    "concepts": ("concepts", "concept", "replacement"),
    "dissection": ("profiles", "units", "threshold-sweep"),
    "evaluation": ("ensembles",),
    "embedding": (
        *("embedding", "explained-variance", "loadings", "groups"),
        *("profile-correlation", "performance-correlation", "stability"),
    ),
    "saliency": ("saliency", "faithfulness", "insertion-deletion", "attention-depth"),
    "semantics": (
        *("space-similarity", "separability", "tcav"),
        *("mask-similarity", "mask-pair", "robustness"),
    ),
}
# What a run must hold for a figure that not every run of its audit can give.
_NEEDED = {
    "faithfulness": "SELECT 1 FROM faithfulness_summary WHERE run = ? LIMIT 1",
    "insertion-deletion": "SELECT 1 FROM curve WHERE run = ? LIMIT 1",
    "attention-depth": "SELECT 1 FROM array WHERE run = ? AND name LIKE 'attention/%' LIMIT 1",
    "space-similarity": "SELECT 1 FROM space_similarity WHERE run = ? LIMIT 1",
    "separability": "SELECT 1 FROM concept_vector WHERE run = ? LIMIT 1",
    "tcav": "SELECT 1 FROM tcav WHERE run = ? LIMIT 1",
    "mask-similarity": "SELECT 1 FROM mask_similarity WHERE run = ? LIMIT 1",
    "mask-pair": "SELECT 1 FROM array WHERE run = ? AND name = 'projections/images'",
    "robustness": "SELECT 1 FROM mask_similarity WHERE run = ? AND matched = 1 LIMIT 1",
}
_NOT_SET = ("imported",)  # said of a run, not asked for
_IMPORTS = {"dissection": "dissection", "evaluation": "performance"}


def commands(project: Project, runs: Sequence[Any]) -> tuple[str, ...]:
    """Command lines that make the reported runs again; FOLDER and file names stand for paths."""
    file = shlex.quote(plain(project.path.name))
    names = {name for run in runs for name in project.run_models(run["id"])}
    sets = {run["image_set"] for run in runs}
    new = [f"parallax new {file}"]
    for image_set, name in project.rows("SELECT id, name FROM image_set ORDER BY id"):
        if image_set in sets:
            new.append(f"--images {shlex.quote(plain(name) + '=FOLDER')}")
    for row in project.rows("SELECT name, specification, library FROM model ORDER BY position, id"):
        if row["name"] in names and row["library"] != IMPORTED:
            specification = without_folder(row["specification"])
            new.append(f"--model {shlex.quote(plain(row['name'] + '=' + specification))}")
    lines = [" ".join(new)]
    for run in runs:
        parameters = json_value(run["parameters"]) or {}
        if parameters.get("imported"):
            lines.append(_import_line(file, run["audit"], parameters))
        else:
            lines.append(_run_line(file, run, project.run_models(run["id"]), parameters))
        lines += [
            f"parallax export {file} --figure {figure} -o {figure}.pdf"
            for figure in _FIGURES[run["audit"]]
            if not (parameters.get("imported") and figure in ("units", "ensembles"))
            and (figure not in _NEEDED or project.value(_NEEDED[figure], (run["id"],)))
        ]
    return tuple(dict.fromkeys(lines))


def _import_line(file: str, audit: str, parameters: dict[str, Any]) -> str:
    source = plain(parameters.get("source") or "TABLE.csv").replace("\\", "/").rsplit("/", 1)[-1]
    return f"parallax import {file} {_IMPORTS[audit]} {shlex.quote(source)}"


def _run_line(file: str, run: Any, models: Sequence[str], parameters: dict[str, Any]) -> str:
    parts = [f"parallax run {file} {run['audit']}"]
    parts += [f"--models {shlex.quote(plain(model))}" for model in models]
    parts += [
        f"--set {shlex.quote(f'{name}={_text(value)}')}"
        for name, value in sorted(parameters.items())
        if value not in ("", None) and name not in _NOT_SET
    ]
    return " ".join(parts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(plain(item) for item in value)
    return plain(value)
