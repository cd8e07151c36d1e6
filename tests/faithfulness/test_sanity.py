"""Max-sensitivity and randomised weights."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from analysis.errors import AuditError
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.randomisation import _plain_copy, randomised_models, rank_correlation
from analysis.faithfulness.sensitivity import max_sensitivity
from analysis.models.loading import load_model
from analysis.models.optimize import InferenceOptions
from analysis.saliency.explanation import explain
from tests.faithfulness.conftest import small_classifier


def test_sensitivity_is_the_largest_relative_change() -> None:
    seen: list[torch.Tensor] = []

    def method(images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(images.square().mean(1), 4)

    def explained(images: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(images)
        return {"own": method(images), "same": maps["same"]}

    pixels = Pixels((0.5, 0.5, 0.5), (0.1, 0.2, 0.4))
    batch = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    maps = {"own": method(batch), "same": torch.rand(2, 3, 3), "left out": torch.rand(2, 3, 3)}
    found = max_sensitivity(explained, batch, maps, pixels, 0.05, 4, seed=3)
    assert len(seen) == 4
    std = torch.tensor(pixels.std)[:, None, None]
    for changed in seen:
        change = ((changed - batch) * std).abs()
        assert 0.045 < float(change.max()) <= 0.0500001
    for image in range(2):

        def scaled(one: torch.Tensor) -> torch.Tensor:
            return (one - one.min()) / (one.max() - one.min())

        own = scaled(maps["own"][image])
        changes = [scaled(method(x)[image]) - own for x in seen]
        expected = max(float(change.norm() / own.norm()) for change in changes)
        assert float(found["own"][image]) == pytest.approx(expected, rel=1e-5)
    assert found["same"].tolist() == [0, 0]
    assert torch.isnan(found["left out"]).all()


def test_sensitivity_does_not_depend_on_the_batch() -> None:
    def explained(images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"own": images.mean(1)}

    batch = torch.randn(3, 3, 8, 8)
    maps = {"own": batch.mean(1)}
    together = max_sensitivity(explained, batch, maps, Pixels(), image_keys=["a", "b", "c"])
    alone = max_sensitivity(
        explained, batch[1:2], {"own": maps["own"][1:2]}, Pixels(), image_keys=["b"]
    )
    torch.testing.assert_close(together["own"][1:2], alone["own"])


def test_sensitivity_without_a_map_or_with_another_shape() -> None:
    batch, constant = torch.rand(1, 3, 8, 8), {"own": torch.ones(1, 4, 4)}
    found = max_sensitivity(lambda x: {"own": torch.ones(1, 4, 4)}, batch, constant, Pixels())
    assert torch.isnan(found["own"]).all()
    with pytest.raises(AuditError):
        max_sensitivity(lambda x: {"own": torch.ones(1, 5, 4)}, batch, constant, Pixels())


def test_rank_correlation_is_spearmans() -> None:
    generator = torch.Generator().manual_seed(1)
    first = torch.randint(0, 9, (4, 5, 5), generator=generator).float()
    second = torch.randint(0, 9, (4, 5, 5), generator=generator).float()
    second[2], second[3, 0, 0] = 1.0, torch.nan
    found = rank_correlation(first, second)
    for image in range(2):
        expected = stats.spearmanr(first[image].flatten(), second[image].flatten()).statistic
        assert float(found[image]) == pytest.approx(expected, abs=1e-12)
    assert torch.isnan(found[2:]).all()
    assert torch.isnan(rank_correlation(first, None)).all()
    assert torch.isnan(rank_correlation(first, second[:, :4])).all()


@pytest.mark.parametrize("options", [True, False, InferenceOptions(compile=True)])
def test_the_model_stays_as_it_was(options: bool | InferenceOptions) -> None:
    model = load_model("sample:pink-sensitive", optimize=options)
    images = torch.randn(2, 3, model.preprocessing.height, model.preprocessing.width)
    with torch.no_grad():
        before = model.module(images)
    state = {name: value.clone() for name, value in model.module.state_dict().items()}
    copy, _ = _plain_copy(model)
    with torch.no_grad():
        torch.testing.assert_close(copy(images), before, atol=1e-4, rtol=1e-4)
    outputs = [other.run(images) for other in randomised_models(model, 1)]
    assert len(outputs) == 1
    assert torch.isfinite(outputs[0]).all()
    assert not torch.allclose(outputs[0], before, atol=0.1)
    with torch.no_grad():
        assert torch.equal(model.module(images), before)
    for name, value in model.module.state_dict().items():
        assert torch.equal(value, state[name])


def test_weights_are_shuffled_from_the_last_layer_on() -> None:
    network = small_classifier()
    stages = []
    for other in randomised_models(network, 3, seed=5):
        stages.append([value.clone() for value in other.state_dict().values()])
    own = list(network.state_dict().values())
    changed = [[not torch.equal(a, b) for a, b in zip(own, one, strict=True)] for one in stages]
    assert changed == [
        [False, False, False, False, True, True],
        [False, False, True, True, True, True],
        [True] * 6,
    ]
    for a, b in zip(own, stages[-1], strict=True):
        assert torch.equal(a.flatten().sort().values, b.flatten().sort().values)
    (whole,) = randomised_models(network, 1, seed=5)
    for a, b in zip(whole.state_dict().values(), stages[-1], strict=True):
        assert torch.equal(a, b)
    (other,) = randomised_models(network, 1, seed=6)
    assert not torch.equal(next(iter(other.state_dict().values())), stages[-1][0])


def test_a_map_that_heeds_the_model_changes_and_a_null_map_does_not() -> None:
    model = load_model("sample:pink-sensitive")
    side = model.preprocessing.height
    batch = torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(0))
    methods = ["gradcam", "sobel"]
    own = explain(model, batch, methods)
    classes = own["gradcam"].classes
    (other,) = randomised_models(model)
    new = explain(other, batch, methods, classes)
    edges = rank_correlation(own["sobel"].values, new["sobel"].values)
    torch.testing.assert_close(edges, torch.ones(4, dtype=torch.float64))
    cams = rank_correlation(own["gradcam"].values, new["gradcam"].values)
    assert float(cams.nanmean()) < 0.7
    assert not own["gradcam"].values.isnan().any()


def test_a_transformer_is_randomised_with_its_position_embedding() -> None:
    model = load_model("sample:vit")
    (other,) = randomised_models(model)
    positions = [name for name, _ in model.module.named_parameters() if "pos" in name]
    assert positions
    for name in positions:
        own, new = model.module.get_parameter(name), other.module.get_parameter(name)
        assert not torch.equal(own, new)
    side = model.preprocessing.height
    maps = explain(other, torch.randn(2, 3, side, side), ["attention", "gradcam"])
    assert torch.isfinite(maps["attention"].values).all()
