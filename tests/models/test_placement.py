"""The letterbox: frames on the canvas of an oblong network, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from analysis.models.loading import load_model
from analysis.models.placement import Letterbox
from analysis.models.taps import LayerTaps


@pytest.mark.parametrize(("height", "width"), [(32, 48), (48, 32), (32, 32), (30, 50)])
def test_padding_comes_off_again(height: int, width: int):
    box = Letterbox.around_square(height, width)
    side = min(height, width)
    frames = torch.rand(2, 3, side, side)
    canvas = box.pad(frames, torch.tensor([0.1, 0.2, 0.3]))
    assert canvas.shape == (2, 3, height, width)
    assert torch.equal(box.take_off(canvas), frames)
    outside = canvas.clone()
    outside[:, :, box.top : box.top + side, box.left : box.left + side] = float("nan")
    rest = outside[:, 0][~outside[:, 0].isnan()]
    assert len(rest) == 2 * (height * width - side * side)
    assert bool((rest == 0.1).all())


@given(st.integers(1, 9), st.integers(33, 64))
def test_between_cells_a_ramp_stays_a_ramp(columns: int, width: int):
    """Values that rise evenly over the canvas rise evenly over the frame: exact sampling."""
    box = Letterbox.around_square(32, width)
    centres = (torch.arange(columns) + 0.5) / columns * width  # in pixels of the canvas
    found = box.take_off(centres.view(1, 1, 1, columns).expand(1, 1, 2, columns).contiguous())
    count = found.shape[-1]
    assert count == max(1, -(-columns * 32 // width))
    expected = box.left + (np.arange(count) + 0.5) / count * 32
    expected = np.interp(expected, centres.numpy(), centres.numpy())
    np.testing.assert_allclose(found[0, 0, 0].numpy(), expected, rtol=1e-4, atol=1e-3)


def test_maps_of_an_oblong_network_lie_over_the_square(tmp_path: Path):
    """A spot on the frame is where it was on the map, with and without a letterbox."""

    class Brightness(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AvgPool2d(4)
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.pool(x) * self.weight

    path = tmp_path / "oblong.pt2"
    program = torch.export.export(Brightness(), (torch.zeros(1, 3, 32, 64),))
    torch.export.save(program, path)
    boxed = load_model(f"export:{path}?letterbox=true&mean=0.5,0.5,0.5")
    assert (boxed.preprocessing.height, boxed.preprocessing.width) == (32, 32)
    frame = torch.zeros(1, 3, 32, 32)
    frame[:, :, 4:8, 20:24] = 1
    with LayerTaps(boxed, ["outputs.output"], "map") as taps:
        found = taps.forward(frame).features["outputs.output"]
    assert torch.equal(found, nn.functional.avg_pool2d(frame, 4))
    torch.testing.assert_close(
        boxed.module._padding, torch.full((3,), 114 / 255 - 0.5), rtol=0, atol=1e-6
    )
    pressed = load_model(f"export:{path}")
    assert (pressed.preprocessing.height, pressed.preprocessing.width) == (32, 64)
    assert pressed.preprocessing.fit == "squash"
