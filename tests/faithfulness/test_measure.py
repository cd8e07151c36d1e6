"""All metrics together equal each by itself, and what is missing is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.errors import AuditError
from analysis.faithfulness.concentration import complexity, localisation, sparseness
from analysis.faithfulness.masking import average_drop, masked_scores
from analysis.faithfulness.measure import Measurements, measure
from analysis.faithfulness.metrics import METRICS, STANDARD, MeasureSettings, image_cost
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.steps import area_under_curve
from analysis.models.loading import LoadedModel, load_model
from analysis.saliency.explanation import explain
from tests.faithfulness.whole_curves import insertion_deletion

METHODS = ["gradcam", "gaussian", "sobel"]
QUICK = MeasureSettings(steps=6, percentages=(30, 70), perturbations=2)


@pytest.fixture
def model() -> LoadedModel:
    return load_model("sample:pink-sensitive")


@pytest.fixture
def batch(model: LoadedModel) -> torch.Tensor:
    side = model.preprocessing.height
    coarse = torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")


@pytest.fixture
def masks() -> torch.Tensor:
    found = torch.zeros(3, 56, 56, dtype=torch.bool)
    found[:2, 10:30, 20:40] = True
    return found


def test_everything_at_once(model: LoadedModel, batch: torch.Tensor, masks: torch.Tensor) -> None:
    maps = explain(model, batch, METHODS)
    classes = maps["gradcam"].classes
    assert classes is not None
    calls: list[bool] = []

    def again(images: torch.Tensor, other: LoadedModel | None) -> dict[str, torch.Tensor]:
        calls.append(other is None)
        new = explain(other or model, images, METHODS, classes)
        return {label: one.values for label, one in new.items()}

    reports: list[tuple[int, int]] = []
    found = measure(
        model, batch, maps, tuple(METRICS), QUICK, masks=masks, explain=again,
        check=lambda done, total: reports.append((done, total)),
    )  # fmt: skip
    assert set(found.values) == {(label, key) for label in METHODS for key in METRICS}
    assert all(one.shape == (3,) and one.dtype == np.float64 for one in found.values.values())
    assert calls == [True, True, False]
    assert reports[-1][0] == found.forwards
    assert abs(3 * image_cost(tuple(METRICS), 3, QUICK).forwards - found.forwards) <= 2
    scores = lambda images: model.run(images).softmax(1)  # noqa: E731
    images = MeasuredImages(scores, batch, Pixels.of(model.preprocessing))
    values = [maps[label].values for label in METHODS]
    curves = insertion_deletion(images, values, classes, 6)
    masked = masked_scores(images, values, classes)
    original = images.of_class(images.original(), classes)
    where = [localisation(one, masks) for one in values]
    for place, label in enumerate(METHODS):
        for kind in ("insertion", "deletion"):
            own = curves.scores[kind][place].numpy()
            np.testing.assert_allclose(found.curves[label, kind], own, atol=1e-5)
            np.testing.assert_allclose(
                found.values[label, kind], area_under_curve(found.curves[label, kind]), atol=1e-12
            )
        expected = {
            "average-drop": average_drop(original, masked[place]),
            "sparseness": sparseness(values[place]),
            "complexity": complexity(values[place]),
            "pointing-game": where[place].pointing,
            "energy-inside": where[place].energy,
        }
        for key, one in expected.items():
            np.testing.assert_allclose(found.values[label, key], one.numpy(), atol=1e-5)
        np.testing.assert_allclose(found.tied[label], curves.tied[place].numpy(), atol=1e-7)
    assert found.classes is not None
    assert found.classes.tolist() == classes.tolist()
    np.testing.assert_allclose(found.probability, original.numpy(), atol=1e-6)
    np.testing.assert_allclose(found.values["sobel", "randomisation"], 1)


def test_batches_make_no_difference(model: LoadedModel, batch: torch.Tensor) -> None:
    maps = {label: one.values for label, one in explain(model, batch, METHODS).items()}
    keys, standard = ["a", "b", "c"], [key for key in STANDARD if "masks" not in METRICS[key].needs]
    whole = measure(model, batch, maps, standard, QUICK, image_keys=keys)
    for image in range(3):
        one = slice(image, image + 1)
        own = {label: values[one] for label, values in maps.items()}
        alone = measure(model, batch[one], own, standard, QUICK, image_keys=keys[one], chunk=2)
        for key, values in alone.values.items():
            np.testing.assert_allclose(values, whole.values[key][one], atol=1e-4)


def test_thesis_takes_the_label_and_the_prediction(model: LoadedModel, batch: torch.Tensor) -> None:
    maps = explain(model, batch, ["gaussian"])
    settings = replace(QUICK, masked_class="label", curve_class="predicted", preset="thesis")
    predicted = model.run(batch).argmax(1)
    labels = (predicted + 1) % model.num_classes
    labels[2] = -1
    asked = ["average-drop", "average-increase", "deletion"]
    found = measure(model, batch, maps, asked, settings, classes=labels.clamp_min(0), labels=labels)
    assert found.classes is not None
    assert found.masked_classes is not None
    assert found.classes.tolist() == predicted.tolist()
    assert found.masked_classes.tolist() == labels.tolist()
    top = model.run(batch).softmax(1).amax(1)
    np.testing.assert_allclose(found.curves["gaussian", "deletion"][:, 0], top, atol=1e-6)
    for key in asked[:2]:
        assert np.isnan(found.values["gaussian", key]).tolist() == [False, False, True]
    with pytest.raises(AuditError, match="label"):
        measure(model, batch, maps, asked, settings)


def test_a_map_that_is_not_finite_spoils_itself_alone(
    model: LoadedModel, batch: torch.Tensor
) -> None:
    good = torch.rand(3, 4, 4)
    bad = good.clone()
    bad[1, 0, 0] = torch.nan
    found = measure(model, batch, {"good": good, "bad": bad}, ["deletion", "sparseness"], QUICK)
    for key in ("deletion", "sparseness"):
        assert np.isnan(found.values["bad", key]).tolist() == [False, True, False]
        rest = found.values["good", key][[0, 2]]
        np.testing.assert_allclose(found.values["bad", key][[0, 2]], rest, atol=1e-6)
    assert np.isnan(found.curves["bad", "deletion"][1]).all()
    assert np.isnan(found.tied["bad"][1])


def test_maps_of_zeros(model: LoadedModel, batch: torch.Tensor) -> None:
    found = measure(
        model, batch, {"zero": torch.zeros(3, 7, 7)}, ["average-drop", "insertion", "sparseness"],
        QUICK,
    )  # fmt: skip
    assert (found.tied["zero"] == 1).all()
    assert np.isfinite(found.values["zero", "average-drop"]).all()
    assert np.isfinite(found.values["zero", "insertion"]).all()
    assert np.isnan(found.values["zero", "sparseness"]).all()


def test_a_headless_model_has_what_maps_alone_say(masks: torch.Tensor) -> None:
    headless = load_model("sample:self-supervised")
    side = headless.preprocessing.height
    batch = torch.rand(3, 3, side, side)
    maps = explain(headless, batch, ["gaussian"])
    found = measure(headless, batch, maps, ["sparseness", "energy-inside"], masks=masks)
    assert isinstance(found, Measurements)
    assert found.forwards == 0
    assert found.classes is None
    with pytest.raises(AuditError, match="classifier head"):
        measure(headless, batch, maps, ["deletion"])


def test_what_is_missing_is_told(model: LoadedModel, batch: torch.Tensor) -> None:
    maps = {"own": torch.rand(3, 4, 4)}
    for metrics, text in (
        (["energy-inside"], "masks"), (["max-sensitivity"], "anew"), (["beauty"], "Unknown")
    ):  # fmt: skip
        with pytest.raises(AuditError, match=text):
            measure(model, batch, maps, metrics, QUICK)
    with pytest.raises(AuditError, match="no map"):
        measure(model, batch, {}, ["sparseness"])
    with pytest.raises(AuditError, match="one class"):
        measure(model, batch, maps, ["deletion"], QUICK, classes=[0, 1])
    with pytest.raises(AuditError, match="no class"):
        measure(model, batch, maps, ["deletion"], QUICK, classes=[0, 1, 99])
    with pytest.raises(AuditError):
        measure(model, batch, {"own": torch.rand(2, 4, 4)}, ["deletion"], QUICK)


def test_cancelling_passes_through(model: LoadedModel, batch: torch.Tensor) -> None:
    class StoppedError(Exception):
        pass

    def check(done: int, total: int) -> None:
        if done > 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        measure(model, batch, {"own": torch.rand(3, 4, 4)}, ["deletion"], check=check)


def test_gradients_still_work_after_measuring(model: LoadedModel, batch: torch.Tensor) -> None:
    before = explain(model, batch, ["gradcam"])
    measure(model, batch, before, ["deletion"], QUICK)
    after = explain(model, batch, ["gradcam"])
    torch.testing.assert_close(before["gradcam"].values, after["gradcam"].values)
