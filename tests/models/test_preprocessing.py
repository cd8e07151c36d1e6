from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.errors import AuditError
from analysis.models.preprocessing import (
    Preprocessing,
    override_preprocessing,
    preprocessing_from_configuration,
    to_model_input,
    transform_image,
)


def photograph(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(640, 427), (300, 500), (256, 256), (223, 901)])
@pytest.mark.parametrize(
    ("crop_pct", "mode", "interpolation"),
    [(0.875, "center", "bicubic"), (0.95, "center", "bilinear"), (1.0, "squash", "bicubic")],
)
def test_transform_is_timms_own(size, crop_pct, mode, interpolation):
    from timm.data import create_transform

    configuration = {
        "input_size": (3, 224, 224), "crop_pct": crop_pct, "crop_mode": mode,
        "interpolation": interpolation, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4),
    }  # fmt: skip
    ours = preprocessing_from_configuration(configuration)
    image = photograph(*size)
    expected = create_transform(**configuration, is_training=False)(image)
    pixels = torch.from_numpy(transform_image(image, ours).copy()).permute(2, 0, 1)[None]
    assert torch.allclose(to_model_input(pixels, ours, "cpu")[0], expected, atol=1e-5)


@pytest.mark.parametrize("size", [(640, 427), (300, 500)])
def test_transform_is_torchvisions_own(size):
    from torchvision.models import SqueezeNet1_1_Weights

    preset = SqueezeNet1_1_Weights.DEFAULT.transforms()
    image = photograph(*size)
    ours = transform_image(image, Preprocessing())
    pixels = torch.from_numpy(ours.copy()).permute(2, 0, 1)[None]
    got = to_model_input(pixels, Preprocessing(), "cpu")[0]
    assert torch.allclose(got, preset(image), atol=1e-5)


def test_blue_first_and_unscaled_pixels():
    caffe = override_preprocessing(
        Preprocessing(),
        {"order": "bgr", "scale": 1, "mean": (103.939, 116.779, 123.68), "std": 1},
    )
    pixels = torch.zeros(1, 3, 224, 224, dtype=torch.uint8)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = 200, 100, 50  # red, green, blue
    values = to_model_input(pixels, caffe, "cpu")[0, :, 0, 0]
    assert torch.allclose(values, torch.tensor([50 - 103.939, 100 - 116.779, 200 - 123.68]))


def test_other_sizes_are_resized_as_patches_are():
    pixels = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    p = Preprocessing()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (p.mean, p.std))
    expected = torch.nn.functional.interpolate(
        (pixels / 255 - mean) / std, size=(224, 224), mode="bilinear", align_corners=False
    )
    got = to_model_input(pixels, p, "cpu")
    assert torch.allclose(got, expected, atol=1e-5)
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_options_override():
    base = preprocessing_from_configuration({"input_size": (3, 224, 224), "crop_pct": 0.875})
    assert base.resize == 256
    smaller = override_preprocessing(base, {"input": 112})
    assert (smaller.height, smaller.width, smaller.resize) == (112, 112, 128)
    assert override_preprocessing(base, {"input": 112, "crop_pct": 1.0}).resize == 112
    assert override_preprocessing(base, {"input": (112, 56)}).width == 56
    assert override_preprocessing(base, {"resize": 300}).resize == 300


def test_a_long_input_lies_within_a_square_photograph():
    p = override_preprocessing(Preprocessing(), {"input": (100, 300)})
    image = Image.new("RGB", (400, 400), (255, 255, 255))
    assert transform_image(image, p).shape == (100, 300, 3)
    assert transform_image(image, p).min() == 255


@pytest.mark.parametrize(
    "options",
    [
        {"input": 0}, {"input": "big"}, {"input": (1, 2, 3)}, {"mean": (1, 2)}, {"std": 0},
        {"order": "RBG"}, {"scale": -1}, {"interpolation": "magic"}, {"crop_pct": 2},
        {"fit": "stretch"}, {"input": 100_000}, {"mean": ("a", "b", "c")},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options):
    with pytest.raises(AuditError):
        override_preprocessing(Preprocessing(), options)


def test_json_round_trip_and_damage():
    p = Preprocessing(160, 192, 180, "bicubic", (1, 2, 3), (4, 5, 6), "BGR", 1.0, "squash")
    assert Preprocessing.from_json(p.to_json()) == p
    for text in ("", "[]", "{}", '{"mean": 1}', p.to_json().replace("160", '"x"')):
        with pytest.raises(AuditError):
            Preprocessing.from_json(text)
