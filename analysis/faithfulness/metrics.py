"""The faithfulness metrics: what each says, its settings, and what it costs. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from analysis.errors import AuditError
from analysis.near_names import name_hint

Preset = Literal["correct", "thesis"]
Baseline = Literal["black", "grey", "blurred"]
Randomisation = Literal["whole", "cascading"]
Need = Literal["scores", "masks", "explain", "model"]

BASELINES: tuple[Baseline, ...] = ("black", "grey", "blurred")
GREY = (0.485, 0.456, 0.406)
"""Mean grey: the mean colour of ImageNet, red, green, blue in 0…1; the same for every model."""
BLUR_SIDE, BLUR_SIGMA = 11, 5.0
"""The blur of RISE's code: an 11 × 11 kernel; see `analysis.faithfulness.steps.blur_kernel`."""
GRID = 224
"""Sparseness and complexity are measured on so many rows and columns, whatever the model's input,
so that models and layers can be compared."""


def check_baseline(name: str) -> None:
    """Raise `AuditError` if there is no such baseline."""
    if name not in BASELINES:
        raise AuditError(f"Unknown baseline “{name}”.", f"Choose one of {', '.join(BASELINES)}.")


@dataclass(frozen=True)
class Metric:
    """What is measured of a map.

    `better`: “higher”, “lower”, or “” where neither is. `low`, `high`: the values it can take.
    `unit`: of the values, empty for plain numbers. `needs`: “scores” (a classifier head), “masks”
    (where the object is), “explain” (maps made anew), “model” (weights that can be randomised).
    `source`: where it is defined. `binary`: whether each image says 0 or 1.
    """

    key: str
    title: str
    better: Literal["higher", "lower", ""]
    low: float
    high: float
    description: str
    source: str
    needs: frozenset[Need]
    unit: str = ""
    binary: bool = False

    def described(self, settings: MeasureSettings) -> str:
        """The description with the baseline, steps and class that these settings give it."""
        return self.description.format(**_told(settings))


def _metric(
    key: str, title: str, better: Literal["higher", "lower", ""], high: float, needs: str,
    description: str, source: str, low: float = 0.0, unit: str = "", binary: bool = False,
) -> Metric:  # fmt: skip
    return Metric(key, title, better, low, high, description, source,
                  frozenset(needs.split()), unit, binary)  # type: ignore[arg-type]  # fmt: skip


_CHANGED = "The map, 0…1, times the image on a {masked_baseline} background: "
_ORDER = "Ties go in raster order: row by row from the top left."

METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        _metric(
            "average-drop", "Average drop", "lower", 1, "scores",
            _CHANGED + "the share of the probability of {masked_class} that is lost, "
            "max(0, Y − O) / Y. No value where that probability is 0.",
            "Chattopadhay et al. 2018; thesis Eq. 3.2 with 1/N",
        ),
        _metric(
            "average-increase", "Average increase", "higher", 1, "scores",
            _CHANGED + "the share of images where the probability of {masked_class} rises.",
            "Chattopadhay et al. 2018; thesis Eq. 3.3", binary=True,
        ),
        _metric(
            "insertion", "Insertion", "higher", 1, "scores",
            "Area under the probability of {curve_class} while the image appears on "
            "a {insertion_baseline} background, most important pixels first, in {steps} steps. "
            + _ORDER,
            "Petsiuk et al. 2018 (RISE)",
        ),
        _metric(
            "deletion", "Deletion", "lower", 1, "scores",
            "Area under the probability of {curve_class} while pixels become {deletion_baseline}, "
            "most important first, in {steps} steps. " + _ORDER,
            "Petsiuk et al. 2018 (RISE)",
        ),
        _metric(
            "road-morf", "ROAD, most relevant first", "lower", 1, "scores",
            "Mean probability of {curve_class} without its {percentages} % most important pixels, "
            "which are filled in from their neighbours with a little noise. " + _ORDER,
            "Rong et al. 2022",
        ),
        _metric(
            "road-lerf", "ROAD, least relevant first", "higher", 1, "scores",
            "Mean probability of {curve_class} without its {percentages} % least important "
            "pixels, which are filled in from their neighbours with a little noise. " + _ORDER,
            "Rong et al. 2022",
        ),
        _metric(
            "pointing-game", "Pointing game", "higher", 1, "masks",
            "The share of images whose most important pixel lies on the object (the first of "
            "equals in raster order){tolerance}. No value without the object.",
            "Zhang et al. 2018", binary=True,
        ),
        _metric(
            "energy-inside", "Energy inside", "higher", 1, "masks",
            "The share of the map, 0…1, that lies on the object. No value without the object or "
            "where the map is the same everywhere.",
            "Wang et al. 2020 (Score-CAM)",
        ),
        _metric(
            "sparseness", "Sparseness", "higher", 1, "",
            "Gini index of the map, 0…1, on {grid} × {grid} pixels: 0 spread evenly, 1 on one "
            "pixel. No value where the map is the same everywhere.",
            "Chalasani et al. 2020; Hurley and Rickard 2009",
        ),
        _metric(
            "complexity", "Complexity", "lower", 10.8228, "",
            "Entropy of the map, 0…1, as shares of its sum, on {grid} × {grid} pixels: less is "
            "simpler. No value where the map is the same everywhere.",
            "Bhatt et al. 2020", unit="nats",
        ),
        _metric(
            "max-sensitivity", "Max-sensitivity", "lower", float("inf"), "explain",
            "The largest change of the map, 0…1 at the layer's resolution, relative to its norm, "
            "when every pixel changes by at most {radius} of 0…1: {perturbations} draws.",
            "Yeh et al. 2019",
        ),
        _metric(
            "randomisation", "Randomised weights", "lower", 1, "explain model",
            "Rank correlation of the map with that of the same network with shuffled weights "
            "({randomisation}): a method that heeds the model is near 0.",
            "Adebayo et al. 2018", low=-1,
        ),
    )
}  # fmt: skip

GROUPS: dict[str, tuple[str, ...]] = {
    "road": ("road-morf", "road-lerf"),
    "localisation": ("pointing-game", "energy-inside"),
    "all": tuple(METRICS),
}
"""Several metrics by one name."""

ALIASES = {
    "ad": "average-drop",
    "ai": "average-increase",
    "i": "insertion",
    "d": "deletion",
    "gini": "sparseness",
    "entropy": "complexity",
    "pointing": "pointing-game",
    "energy": "energy-inside",
    "sensitivity": "max-sensitivity",
    "randomization": "randomisation",
}

STANDARD = (
    "average-drop", "average-increase", "insertion", "deletion", "road-morf", "road-lerf",
    "pointing-game", "energy-inside", "sparseness", "complexity",
)  # fmt: skip
"""All that need no new maps."""


@dataclass(frozen=True)
class MeasureSettings:
    """How the metrics are taken.

    `masked_class`, `curve_class`: the class of average drop and increase, and of the curves and
    ROAD: “explained” (the one the maps were made for), “predicted” or “label”. `steps`: of
    insertion and deletion. `masked_baseline`: what lies under the masked image.
    `percentages`: removed by ROAD; `road_noise`: σ of its noise, in pixels of 0…1.
    `pointing_tolerance`: pixels of the mask's resolution by which the pointing game may miss.
    `radius`, `perturbations`: of max-sensitivity. `randomisation`: all layers at once, or from the
    last to the first in `stages` stages, of which the mean counts. `seed`: of all noise.
    """

    preset: Preset = "correct"
    steps: int = 224
    insertion_baseline: Baseline = "blurred"
    deletion_baseline: Baseline = "grey"
    masked_baseline: Baseline = "black"
    masked_class: Literal["explained", "predicted", "label"] = "explained"
    curve_class: Literal["explained", "predicted", "label"] = "explained"
    percentages: tuple[int, ...] = (10, 20, 30, 40, 50, 60, 70, 80, 90)
    road_noise: float = 0.01
    pointing_tolerance: int = 0
    radius: float = 0.02
    perturbations: int = 10
    randomisation: Randomisation = "whole"
    stages: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("insertion_baseline", "deletion_baseline", "masked_baseline"):
            check_baseline(getattr(self, name))
        for name in ("steps", "perturbations", "stages"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise AuditError(
                    f"“{name}” is a whole number from 1 on.", f"It was {getattr(self, name)}."
                )
        if not self.percentages or not all(0 < share < 100 for share in self.percentages):
            raise AuditError(
                "ROAD removes shares above 0 and below 100 %.", f"Given: {self.percentages}."
            )
        if self.road_noise < 0 or self.radius <= 0 or self.pointing_tolerance < 0:
            raise AuditError(
                "Noise and tolerance are not below zero, and the radius is above zero.", ""
            )
        if self.randomisation not in ("whole", "cascading"):
            raise AuditError(
                f"Weights cannot be randomised “{self.randomisation}”.",
                "Choose whole or cascading.",
            )
        for name in ("masked_class", "curve_class"):
            if getattr(self, name) not in ("explained", "predicted", "label"):
                raise AuditError(
                    f"“{name}” cannot be “{getattr(self, name)}”.",
                    "Choose explained, predicted or label.",
                )


PRESETS: dict[Preset, MeasureSettings] = {
    "correct": MeasureSettings(),
    # As the thesis' code: average drop and increase of the label's class, curves of the predicted.
    "thesis": MeasureSettings(
        preset="thesis", steps=224, masked_class="label", curve_class="predicted"
    ),
}


def preset_settings(preset: str, steps: int | None = None, seed: int = 0) -> MeasureSettings:
    """The settings of a preset.

    “correct”: everything on the class that the maps explain. “thesis”: average drop and increase
    on the label's class, insertion, deletion and ROAD on the predicted one. Both mask the image in
    0…1 on black, insert on the blurred image and delete to mean grey, as RISE does.

    :param steps: of insertion and deletion; None for the preset's.
    :raises AuditError: there is no such preset.
    """
    if preset not in PRESETS:
        raise AuditError(f"Unknown preset “{preset}”.", f"Choose {' or '.join(PRESETS)}.")
    found = PRESETS[preset]  # type: ignore[index]
    return replace(found, steps=found.steps if steps is None else steps, seed=seed)


def parse_metrics(text: str) -> tuple[str, ...]:
    """Keys of metrics from text with commas; “road”, “localisation” and “all” stand for several.

    :raises AuditError: a metric is unknown.
    """
    found: dict[str, None] = {}
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        for key in GROUPS.get(part, (ALIASES.get(part, part),)):
            if key not in METRICS:
                known = [*METRICS, *GROUPS]
                raise AuditError(
                    f"Unknown metric “{part}”.",
                    name_hint(part, known, f"There are: {', '.join(known)}."),
                )
            found[key] = None
    return tuple(key for key in METRICS if key in found)


@dataclass(frozen=True)
class Cost:
    """What one image costs: `forwards` for scores, and `explanations` by all methods anew."""

    forwards: int
    explanations: int
    by_metric: dict[str, int] = field(default_factory=dict)


def image_cost(metrics: Sequence[str], methods: int, settings: MeasureSettings) -> Cost:
    """What measuring one image costs with so many methods.

    Methods share the scores of the image itself and of its blurred version; the score of a grey or
    black image is taken once a batch and not counted.

    :param metrics: keys as `parse_metrics` gives them.
    """
    wanted = set(metrics)
    by_metric: dict[str, int] = {}
    if wanted & {"average-drop", "average-increase"}:
        by_metric["average-drop"] = methods
    for key in ("insertion", "deletion"):
        if key in wanted:
            by_metric[key] = methods * (settings.steps - 1)
    for key in ("road-morf", "road-lerf"):
        if key in wanted:
            by_metric[key] = methods * len(settings.percentages)
    shared = 1 if by_metric else 0
    blurred = ("insertion" in wanted and settings.insertion_baseline == "blurred") or (
        "deletion" in wanted and settings.deletion_baseline == "blurred"
    )
    explanations = 0
    if "max-sensitivity" in wanted:
        explanations += settings.perturbations
    if "randomisation" in wanted:
        explanations += settings.stages if settings.randomisation == "cascading" else 1
    return Cost(sum(by_metric.values()) + shared + blurred, explanations, by_metric)


_CLASS_WORDS = {
    "explained": "the explained class",
    "predicted": "the predicted class",
    "label": "the label's class",
}
_BASELINE_WORDS = {"black": "black", "grey": "mean grey", "blurred": "blurred"}


def _told(settings: MeasureSettings) -> dict[str, object]:
    """The words that a description has places for."""
    missed = settings.pointing_tolerance
    return {
        "steps": settings.steps,
        "insertion_baseline": _BASELINE_WORDS[settings.insertion_baseline],
        "deletion_baseline": _BASELINE_WORDS[settings.deletion_baseline],
        "masked_baseline": _BASELINE_WORDS[settings.masked_baseline],
        "masked_class": _CLASS_WORDS[settings.masked_class],
        "curve_class": _CLASS_WORDS[settings.curve_class],
        "percentages": ", ".join(f"{share:g}" for share in settings.percentages),
        "tolerance": f", or at most {missed} pixels from it" if missed else "",
        "radius": f"{settings.radius:g}",
        "perturbations": settings.perturbations,
        "grid": GRID,
        "randomisation": (
            "all layers at once"
            if settings.randomisation == "whole"
            else f"from the last layer to the first in {settings.stages} stages, their mean"
        ),
    }
