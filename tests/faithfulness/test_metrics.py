"""Names, presets, descriptions and costs."""

from __future__ import annotations

import math

import pytest

from analysis.errors import AuditError
from analysis.faithfulness.metrics import (
    GRID,
    METRICS,
    MeasureSettings,
    image_cost,
    parse_metrics,
    preset_settings,
)


def test_names_and_groups() -> None:
    assert parse_metrics("deletion, road ,AD") == (
        "average-drop", "deletion", "road-morf", "road-lerf"
    )  # fmt: skip
    assert parse_metrics("all") == tuple(METRICS)
    assert parse_metrics("localisation") == ("pointing-game", "energy-inside")
    with pytest.raises(AuditError, match="Unknown metric"):
        parse_metrics("deletion,prettiness")


@pytest.mark.parametrize("preset", ["correct", "thesis"])
def test_descriptions_say_baseline_steps_class_and_ties(preset: str) -> None:
    settings = preset_settings(preset, steps=28)
    texts = {key: metric.described(settings) for key, metric in METRICS.items()}
    assert not any("{" in text for text in texts.values())
    for key in ("insertion", "deletion"):
        assert "28 steps" in texts[key]
        assert "raster order" in texts[key]
    assert "blurred" in texts["insertion"]
    assert "mean grey" in texts["deletion"]
    assert "black" in texts["average-drop"]
    thesis = preset == "thesis"
    assert ("label" in texts["average-drop"]) == thesis
    assert ("predicted class" in texts["deletion"]) == thesis
    assert METRICS["complexity"].high == pytest.approx(math.log(GRID * GRID), abs=1e-3)


def test_costs() -> None:
    settings = MeasureSettings(steps=224, percentages=(10, 50), perturbations=3)
    assert image_cost(["insertion", "deletion"], 1, settings).forwards == 2 * 223 + 2
    assert image_cost(["sparseness", "energy-inside"], 5, settings).forwards == 0
    cost = image_cost(parse_metrics("all"), 4, settings)
    assert cost.forwards == 4 * (1 + 2 * 223 + 2 * 2) + 2
    assert cost.explanations == 4
    cascading = MeasureSettings(randomisation="cascading", stages=7)
    assert image_cost(["randomisation"], 4, cascading).explanations == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0}, {"percentages": (0, 50)}, {"percentages": (100,)}, {"percentages": ()},
        {"radius": 0}, {"road_noise": -1}, {"deletion_baseline": "white"}, {"perturbations": 0},
        {"masked_class": "best"}, {"randomisation": "half"}, {"steps": 2.5},
    ],
)  # fmt: skip
def test_impossible_settings(wrong: dict) -> None:
    with pytest.raises(AuditError):
        MeasureSettings(**wrong)


def test_unknown_preset() -> None:
    with pytest.raises(AuditError, match="preset"):
        preset_settings("paper")
