"""Methods, metrics and settings of a saliency run, as people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from analysis.errors import AuditError
from analysis.figures.columns import parameter_number
from analysis.figures.saliency_data import MethodInfo, MetricInfo
from analysis.figures.words import count, plain, shorten
from analysis.images.frames import Frame

if TYPE_CHECKING:
    from analysis.faithfulness.metrics import MeasureSettings

NULL = "null"  # the kind of maps that know nothing of the model
_LONGEST = 200  # characters of a text that a file says of itself
_LARGEST_SIDE = 4096


def method_info(label: str) -> MethodInfo:
    """A method by its label; an unknown one has its label as title and no kind."""
    from analysis.saliency.methods import parse_method

    try:
        settings = parse_method(label)
    except AuditError:
        return MethodInfo(label, shorten(plain(label), _LONGEST), "", False, "")
    method = settings.definition
    return MethodInfo(
        label=label,
        title=settings.title,
        kind=method.kind,
        class_dependent=method.class_dependent,
        description=(
            method.description if method.kind == NULL else f"{method.description} ({method.source})"
        ),
    )


def method_title(text: str) -> str | None:
    """The title of the method that `text`, a label or a title, names; None: it names none."""
    from analysis.saliency.methods import METHODS

    info = method_info(text)
    named = info.kind or any(text.startswith(method.title) for method in METHODS.values())
    return info.title if named else None


def method_infos(labels: Iterable[str]) -> tuple[MethodInfo, ...]:
    """The distinct methods of `labels` in the order of the methods, null maps after the others."""
    return tuple(method_info(label) for label in sorted(set(labels), key=_method_rank))


def _method_rank(label: str) -> tuple[Any, ...]:
    from analysis.saliency.methods import METHODS, parse_method

    try:
        settings = parse_method(label)
    except AuditError:
        return (1, 0, (), label)
    numbers = (settings.layer, settings.head, settings.first, settings.last)
    place = list(METHODS).index(settings.method)
    return (0, place, (*(number or 0 for number in numbers), settings.power), label)


def metric_info(key: str, settings: MeasureSettings | None) -> MetricInfo:
    """A metric by its key; an unknown one has its key as title and is neither better high nor low.

    :param settings: what it was measured with; None where that is not known.
    """
    from analysis.faithfulness.metrics import METRICS

    metric = METRICS.get(key)
    if metric is None:
        return MetricInfo(key, shorten(plain(key), _LONGEST), "", "")
    told = metric.described(settings) if settings is not None else ""
    return MetricInfo(key, metric.title, metric.better, f"{told} ({metric.source})".strip())


def metric_infos(keys: Iterable[str], settings: MeasureSettings | None) -> tuple[MetricInfo, ...]:
    """The distinct metrics of `keys` in their usual order."""
    from analysis.faithfulness.metrics import METRICS

    order = list(METRICS)
    ranked = sorted(
        set(keys), key=lambda key: (order.index(key) if key in METRICS else len(order), key)
    )
    return tuple(metric_info(key, settings) for key in ranked)


def measure_settings(parameters: Mapping[str, Any]) -> MeasureSettings | None:
    """How the metrics of a run were taken; None where its parameters do not say it."""
    from analysis.faithfulness.metrics import preset_settings

    steps, seed = (parameter_number(dict(parameters), name) for name in ("steps", "seed"))
    try:
        return preset_settings(
            str(parameters.get("preset", "")),
            steps=int(steps) if steps >= 1 else None,
            seed=int(seed) if seed >= 0 else 0,
        )
    except AuditError:
        return None


def run_frame(parameters: Mapping[str, Any]) -> Frame | None:
    """The square that a run looked at in every image; None where its parameters do not say it."""
    resize, side = (parameter_number(dict(parameters), name) for name in ("resize", "frame"))
    if not 1 <= side <= resize <= _LARGEST_SIDE:
        return None
    return Frame(int(resize), int(side))


def settings_words(parameters: Mapping[str, Any], images: int) -> tuple[tuple[str, str], ...]:
    """What all numbers of a run were measured with, as name and text.

    What the parameters do not say, or say in a way that cannot be read, is left out.
    """
    said = [
        ("Preset", _PRESETS.get(str(parameters.get("preset", "")), "")),
        ("Images", f"{images:,}" if images else ""),
        ("Square", frame_words(run_frame(parameters))),
        ("Explained class", _target_words(parameters)),
        ("Classifier", _HEADS.get(str(parameters.get("head", "")), "")),
        ("Layer of the CAMs", _text(parameters, "layer") or "found automatically"),
        *_measured(measure_settings(parameters)),
        ("Object of localisation", _mask_words(parameters)),
        *_doubt(dict(parameters)),
    ]
    return tuple((name, text) for name, text in said if text)


_PRESETS = {
    "correct": "correct (as defined)",
    "thesis": "thesis (as its code computes)",
}
_HEADS = {
    "own": "the models' own heads",
    "probe": "the models' own heads; a linear one, fitted to the labels, where there is none",
}
_TARGETS = {"predicted": "the predicted class", "label": "the image's label"}
_CLASSES = {
    "explained": "the explained class",
    "predicted": "the predicted class",
    "label": "the label's class",
}


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    return shorten(plain(value), _LONGEST) if isinstance(value, str) else ""


def frame_words(frame: Frame | None) -> str:
    """The square of each image that was looked at, in words; empty where it is not known."""
    if frame is None:
        return ""
    if frame.crop == frame.resize:
        return f"the whole central square, as {frame.crop} × {frame.crop} pixels"
    return f"central {frame.crop} × {frame.crop} pixels of a shorter side of {frame.resize}"


def _target_words(parameters: Mapping[str, Any]) -> str:
    name = _text(parameters, "target")
    return _TARGETS.get(name, f"“{name}”" if name else "")


def _mask_words(parameters: Mapping[str, Any]) -> str:
    if "mask" not in parameters:
        return ""
    name = _text(parameters, "mask")
    if not name:
        return "not measured"
    return "the one called like the image's label" if name == "label" else f"“{name}”"


def _measured(settings: MeasureSettings | None) -> list[tuple[str, str]]:
    if settings is None:
        return []
    from analysis.faithfulness.metrics import BLUR_SIDE, BLUR_SIGMA

    blurred = f"the blurred image ({BLUR_SIDE} × {BLUR_SIDE}, σ {BLUR_SIGMA:g})"
    grounds = {"blurred": blurred, "black": "black", "grey": "mean grey"}
    said = [
        ("Steps", f"{settings.steps:,} of insertion and deletion"),
        ("Insertion starts from", grounds[settings.insertion_baseline]),
        ("Deletion ends in", grounds[settings.deletion_baseline]),
        ("Masked image", f"map × image on {grounds[settings.masked_baseline]}"),
        ("Ties", "in raster order; each map says its share of tied pixels"),
    ]
    if settings.masked_class != "explained":
        said.append(("Average drop and increase of", _CLASSES[settings.masked_class]))
    if settings.curve_class != "explained":
        said.append(("Insertion, deletion and ROAD of", _CLASSES[settings.curve_class]))
    return said


def _doubt(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    samples, signs, seed = (
        parameter_number(parameters, name) for name in ("replicates", "permutations", "seed")
    )
    said = []
    if samples >= 1:
        said.append(("Intervals", f"95 %, {count(int(samples), 'bootstrap sample')} of images"))
    if signs >= 1:
        text = f"{count(int(signs), 'sign change')}, adjusted for the number of tests"
        said.append(("Paired tests", text))
    if seed >= 0:
        said.append(("Seed", f"{int(seed)}"))
    return said


def split_methods(text: str) -> list[str]:
    """Names of methods with commas between them; commas in brackets are part of a name."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]
