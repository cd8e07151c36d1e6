"""What explaining an image costs, told from the list of layers without loading a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.audits.layer_names import has_places
from analysis.faithfulness.metrics import METRICS, image_cost

if TYPE_CHECKING:
    from analysis.audits.saliency import SaliencyParameters
    from analysis.project import Project
    from analysis.saliency.methods import MethodSettings

_BACKWARD = 2.0  # forwards that a backward takes as long as
_WALK = 3.0  # forwards that the propagation of relevance takes as long as


@dataclass(frozen=True)
class ModelCost:
    """What an image costs with one model, at most: methods that turn out not to fit cost nothing.

    `seconds` is None where the model's speed is not known. `scores`: numbers kept in curves.
    """

    methods: int
    metrics: int
    scores: int
    forwards: int
    seconds: float | None


def estimate_model(project: Project, name: str, parameters: SaliencyParameters) -> ModelCost:
    """The cost of one image with one model."""
    settings = parameters.chosen_methods()
    metrics = parameters.chosen_metrics()
    row = project.row("SELECT num_classes, seconds_per_image FROM model WHERE name = ?", (name,))
    layers = project.rows(
        "SELECT name, kind, shape, channels, spread FROM layer WHERE model = ? ORDER BY position",
        (name,),
    )
    attends = any(layer["kind"] == "attention" for layer in layers)
    headed = bool(row is not None and row["num_classes"]) or parameters.head == "probe"
    usable = [one for one in settings if _may_apply(one, attends, headed)]
    measured = [key for key in metrics if headed or "scores" not in METRICS[key].needs]
    maps, backwards, walks = 1, 0.0, 0.0
    for one in usable:
        if one.method == "scorecam":
            channels = _channels(layers, parameters.layer)
            maps += min(channels, one.channels or channels)
        if "gradients" in one.definition.needs:
            backwards = _BACKWARD
        if one.method == "tibav":
            walks = _WALK
    cost = image_cost(measured, len(usable), parameters.settings())
    remade = cost.explanations * maps
    forwards = 1 + maps + cost.forwards + remade
    speed = row["seconds_per_image"] if row is not None else None
    work = forwards + (1 + cost.explanations) * (backwards + walks)
    scores = (parameters.steps + 1) * sum(key in measured for key in ("insertion", "deletion"))
    return ModelCost(
        len(usable), len(measured), scores, forwards, None if speed is None else work * speed
    )


def _may_apply(settings: MethodSettings, attends: bool, headed: bool) -> bool:
    needs = settings.definition.needs
    return (attends or "attention" not in needs) and (headed or "head" not in needs)


def _channels(layers: list, chosen: str) -> int:  # type: ignore[type-arg]
    """Channels of the layer that the CAMs are taken at, as far as the list of layers tells."""
    spatial = [row for row in layers if has_places(row["shape"])]
    named = [row for row in spatial if row["name"] == chosen]
    typical = [row for row in spatial if row["spread"]]
    found = (named or typical or spatial)[-1:]
    return int(found[0]["channels"] or 0) if found else 0
