"""The sample's networks load, take and give what they should, and know what they claim to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.errors import AuditError
from analysis.models import sample_networks
from analysis.models.sample_networks import build_sample_network, sample_names

NAMES = sample_names()
TOLERANCE = 0.03  # JPEG, and how a machine rounds


@pytest.fixture(scope="module")
def audit(sample: Path) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """The committed audit pictures at the input size, their classes and the classes' names."""
    names = sorted(folder.name for folder in (sample / "images").iterdir())
    pixels, classes = [], []
    for place, name in enumerate(names):
        for path in sorted((sample / "images" / name).glob("*.jpg")):
            pixels.append(np.asarray(Image.open(path).resize((48, 48), Image.Resampling.BILINEAR)))
            classes.append(place)
    batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    return (batch - 0.5) / 0.25, torch.tensor(classes), names


def accuracy(name: str, audit: tuple[torch.Tensor, torch.Tensor, list[str]]) -> float:
    module, _, class_names = build_sample_network(name)
    assert list(class_names) == audit[2]
    with torch.inference_mode():
        return float((module(audit[0]).argmax(dim=1) == audit[1]).float().mean())


def described(sample: Path, name: str) -> dict:
    return json.loads((sample / "models.json").read_text(encoding="utf-8"))["models"][name]


def test_the_sample_has_the_networks_it_needs() -> None:
    assert {
        "cnn-seed-1",
        "cnn-seed-2",
        "pink-sensitive",
        "pink-invariant",
        "vit",
        "self-supervised",
        "untrained",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_network_takes_pictures_and_gives_scores(name: str) -> None:
    module, preprocessing, class_names = build_sample_network(name)
    assert not module.training
    assert all(value.dtype == torch.float32 for value in module.parameters())
    batch = torch.zeros(2, 3, preprocessing["height"], preprocessing["width"])
    with torch.inference_mode():
        output = module(batch)
    assert output.shape == (2, len(class_names) or module.num_features)
    assert torch.isfinite(output).all()
    assert len(preprocessing["mean"]) == len(preprocessing["std"]) == 3


@pytest.mark.parametrize("name", NAMES)
def test_penultimate_features_lead_to_the_scores(name: str) -> None:
    module, preprocessing, _ = build_sample_network(name)
    batch = torch.rand(2, 3, preprocessing["height"], preprocessing["width"])
    with torch.inference_mode():
        features = module.forward_head(module.forward_features(batch), pre_logits=True)
        assert features.shape == (2, 64)
        torch.testing.assert_close(module.get_classifier()(features), module(batch))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("untrained", "self-supervised")]
)
def test_trained_networks_are_as_good_as_recorded(name: str, audit, sample: Path) -> None:
    recorded = described(sample, name)["accuracy"]
    assert recorded > 0.8
    assert accuracy(name, audit) >= recorded - TOLERANCE


def test_untrained_network_guesses(audit) -> None:
    assert accuracy("untrained", audit) < 1 / 6 + 0.15


def test_self_supervised_network_has_no_head() -> None:
    module, _, class_names = build_sample_network("self-supervised")
    assert class_names == ()
    assert isinstance(module.get_classifier(), torch.nn.Identity)


def test_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(AuditError) as caught:
        build_sample_network("resnet50")
    assert "resnet50" in caught.value.summary
    assert "pink-sensitive" in caught.value.hint


def test_changed_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models.json").write_bytes((sample / "models.json").read_bytes())
    weights = bytearray((sample / "models" / "vit.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "models" / "vit.safetensors").write_bytes(weights)
    monkeypatch.setattr(
        sample_networks, "resource_path", lambda _, *parts: tmp_path.joinpath(*parts)
    )
    with pytest.raises(AuditError, match="not the ones that were shipped"):
        build_sample_network("vit")
    with pytest.raises(AuditError, match="missing"):
        build_sample_network("cnn-seed-1")
