"""How maps, their methods and their faithfulness are put in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.figures.saliency_data import (
    AttentionDepth,
    Cell,
    Explanation,
    MetricInfo,
    SaliencyIndex,
    SaliencyMap,
)
from analysis.figures.words import count, number
from app.views.saliency_layout import NULL_KIND, Places

ARROWS = {"higher": "↑", "lower": "↓"}
BETTER = {"higher": "Higher is better.", "lower": "Lower is better.", "": "Neither way is better."}
LETTERS = "ABCDEFGH"
"""Of the selected maps; as many are shown in the curves."""

EMPTY = (
    "Where each model looks in each image, by which method, and how far the map may be believed."
)
EXPLAIN = "or explain a single picture…"
NOTHING = "The run holds no map yet."


def percent(share: float) -> str:
    """A share as “12 %”, “0.4 %” or “0 %”."""
    if not math.isfinite(share):
        return "unknown"
    digits = 0 if share == 0 or abs(share) >= 0.01 else 1
    return f"{number(100 * share, digits)} %"


def cell_name(places: Places, cell: Cell) -> str:
    """A map on one line."""
    return f"{cell.model} · {places.title(cell.method)} · {places.image_name(cell.image)}"


def short_names(places: Places, cells: Sequence[Cell]) -> list[str]:
    """Maps on one line, without what all of them share."""
    parts = [
        (cell.model, places.title(cell.method), places.image_name(cell.image)) for cell in cells
    ]
    kept = [i for i in range(3) if len({part[i] for part in parts}) > 1] or [0, 1]
    return [" · ".join(part[i] for i in kept) for part in parts]


def short_class(found: SaliencyMap) -> str:
    """The class that a map explains with its probability, empty where it explains none."""
    if not found.class_name:
        return ""
    score = f" {number(found.score)}" if math.isfinite(found.score) else ""
    return f"{found.class_name}{score}"


def cell_hint(places: Places, cell: Cell, found: SaliencyMap | None) -> str:
    """All that is known of a map."""
    lines = [cell_name(places, cell)]
    if not places.has(cell):
        return "\n".join([*lines, f"No map: {places.reason(cell)}"])
    if found is None:
        layer = places.layer(cell.model, cell.method)
        return "\n".join([*lines, *([f"layer {layer}"] if layer else [])])
    if found.class_name:
        score = f", probability {number(found.score, 3)}" if math.isfinite(found.score) else ""
        lines.append(f"class {found.class_name}{score}")
    else:
        lines.append("the class makes no difference to this map")
    if found.layer:
        lines.append(f"layer {found.layer}")
    if math.isfinite(found.tied):
        lines.append(f"{percent(found.tied)} of the pixels have the value of another one")
    if found.note:
        lines.append(found.note)
    return "\n".join(lines)


def metric_title(metric: MetricInfo) -> str:
    """A metric's name with the arrow of what is better."""
    arrow = ARROWS.get(metric.better, "")
    return f"{metric.title} {arrow}".rstrip()


def metric_hint(metric: MetricInfo) -> str:
    """What a metric is and which way is better."""
    return f"{metric.title}. {metric.description}\n{BETTER.get(metric.better, '')}".strip()


def settings_line(index: SaliencyIndex) -> str:
    """What everything was measured with, on one line."""
    return " · ".join(f"{name}: {text}" for name, text in index.settings)


def left_out_line(places: Places, model: str, labels: Sequence[str]) -> str:
    """Which methods do not apply to a model."""
    if not labels:
        return ""
    names = [places.title(label) for label in labels]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    applies = "does" if len(names) == 1 else "do"
    return f"{shown} {applies} not apply to {model}; the reasons stand under Settings."


def explanation_line(explanation: Explanation) -> str:
    """What the banner of a picture outside of any run says."""
    index = explanation.index
    models, methods = count(len(index.models), "model"), count(len(index.methods), "method")
    return f"{explanation.name}, not part of a run: {methods} of {models}"


def depth_line(depth: AttentionDepth, layer: int) -> str:
    """Which layer is shown."""
    return f"layer {layer + 1} of {len(depth.layers)}: {depth.layers[layer]}"


def step_line(kind: str, step: int, steps: int, score: float) -> str:
    """Where the scrubber stands."""
    done = "in" if kind == "insertion" else "gone"
    share = percent(step / steps) if steps else "0 %"
    return f"{kind}, step {step:,} of {steps:,}: {share} of the pixels {done}, {number(score, 3)}"


def is_chance(places: Places, label: str) -> bool:
    """Whether a method knows nothing of the model."""
    method = places.method(label)
    return method is not None and method.kind == NULL_KIND
