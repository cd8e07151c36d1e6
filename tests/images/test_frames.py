"""Frames, patches and the way back to the original's pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis.errors import AuditError
from analysis.images.decoding import decode_image
from analysis.images.frames import Frame, PatchGrid, extract_patches


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("size", [(640, 480), (333, 500), (224, 224), (100, 60), (1000, 225)])
@pytest.mark.parametrize("frame", [Frame(), Frame(235, 224), Frame(256, 200), Frame(31, 30)])
def test_frame_is_that_of_torchvision(size: tuple[int, int], frame: Frame) -> None:
    from torchvision.transforms import functional

    image = noise(*size)
    resized = functional.resize(image, [frame.resize], functional.InterpolationMode.BILINEAR)
    expected = np.asarray(functional.center_crop(resized, [frame.crop]))
    pixels = frame.apply(image)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (frame.crop, frame.crop, 3)
    assert (pixels == expected).all()


def test_square_of_its_own_size_is_untouched() -> None:
    image = noise(224, 224)
    assert (Frame().apply(image) == np.asarray(image)).all()


@pytest.mark.parametrize("size", [(500, 20), (20, 500), (37, 1000)])
def test_ribbons_are_cut_as_other_images(size: tuple[int, int]) -> None:
    frame, image = Frame(64, 60), noise(*size)
    resized, (left, top) = frame.placement(*size)
    whole = image.resize(resized, Image.Resampling.BILINEAR)
    expected = np.asarray(whole.crop((left, top, left + 60, top + 60))).astype(int)
    assert np.abs(frame.apply(image) - expected).max() <= 1


def test_ribbon_takes_no_memory() -> None:
    """Resized as a whole this image would have 224 × 22,400,000 pixels."""
    assert Frame().apply(Image.new("RGB", (100_000, 1), (9, 8, 7))).tolist()[0][0] == [9, 8, 7]


@pytest.mark.parametrize(("resize", "crop"), [(224, 225), (0, 0), (10, 0), (10, -1)])
def test_impossible_frames(resize: int, crop: int) -> None:
    with pytest.raises(AuditError):
        Frame(resize, crop)


def marker(image: np.ndarray) -> tuple[int, int, int, int]:
    """The box of the red pixels: x, y, width, height."""
    y, x = np.nonzero((image[..., 0] > 128) & (image[..., 1] < 128))
    return int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1


@pytest.mark.parametrize("size", [(1200, 900), (500, 800), (224, 224), (120, 90)])
@pytest.mark.parametrize("frame", [Frame(), Frame(256, 224)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_marker_is_found_again(
    tmp_path: Path, size: tuple[int, int], frame: Frame, orientation: int
) -> None:
    """What is red in the frame lies where the original is red, also in a turned photograph."""
    width, height = size
    box = (int(0.45 * width), int(0.4 * height), int(0.2 * width), int(0.25 * height))
    upright = Image.new("RGB", size, (255, 255, 255))
    upright.paste((255, 0, 0), (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    stored = upright.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "marked.png", exif=exif)

    image = decode_image(tmp_path / "marked.png")
    assert image.size == size
    found = np.array([marker(frame.apply(image))])
    mapped = frame.to_original(found, width, height)[0]
    scale = min(size) / frame.resize
    assert np.abs(mapped - box).max() <= max(2, 1.5 * scale)


def test_every_patch_shows_what_its_box_covers() -> None:
    """The boxes of the grid, in the original, cover the content of the patches."""
    frame, grid = Frame(112, 112), PatchGrid(28, 28)
    width, height = 448, 560
    original = np.zeros((height, width, 3), np.uint8)
    boxes = frame.to_original(grid.boxes(112), width, height)
    for number, (x, y, w, h) in enumerate(boxes):
        original[y : y + h, x : x + w] = 10 * number + 5
    tensor = torch.from_numpy(frame.apply(Image.fromarray(original)).copy()).permute(2, 0, 1)
    patches = extract_patches(tensor[None], grid)
    middles = patches[:, 0, 4:-4, 4:-4].flatten(1).float()
    assert middles.mean(dim=1).tolist() == [10 * number + 5 for number in range(16)]
    assert middles.std(dim=1).max() == 0


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    resize=st.integers(1, 400),
    crop_share=st.floats(0.3, 1),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_boxes_map_to_the_nearest_pixel_within_the_image(
    width: int, height: int, resize: int, crop_share: float, box: tuple[float, ...]
) -> None:
    frame = Frame(resize, max(1, int(resize * crop_share)))
    x, y = box[0] * frame.crop, box[1] * frame.crop
    w, h = box[2] * (frame.crop - x), box[3] * (frame.crop - y)
    mapped = frame.to_original(np.array([[x, y, w, h]]), width, height)
    assert mapped.dtype == np.int64
    assert mapped.shape == (1, 4)
    left, top, wide, high = mapped[0]
    assert wide >= 1
    assert high >= 1
    assert 0 <= left <= left + wide <= width
    assert 0 <= top <= top + high <= height

    # Written a second way: the frame's middle is the image's, to the rounding of the crop.
    for start, length, low, extent, side in ((x, w, left, wide, width), (y, h, top, high, height)):
        resized = int(resize * side / min(width, height))
        scale = side / resized
        middle = side / 2
        exact = middle + (start - frame.crop / 2) * scale
        tolerance = 0.5 + 0.5 * scale + 1e-6
        assert abs(low - exact) <= tolerance or low == side - 1
        assert abs(low + extent - (exact + length * scale)) <= tolerance or extent == 1


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), resize=st.integers(8, 300))
def test_whole_frame_is_the_central_square(width: int, height: int, resize: int) -> None:
    x, y, w, h = Frame(resize, resize).to_original([[0, 0, resize, resize]], width, height)[0]
    side = min(width, height)
    scale = side / resize
    assert abs(w - side) <= 1 + scale
    assert abs(h - side) <= 1 + scale
    assert abs(x - (width - side) / 2) <= 1 + scale
    assert abs(y - (height - side) / 2) <= 1 + scale


def test_no_boxes() -> None:
    assert Frame().to_original(np.empty((0, 4)), 10, 10).shape == (0, 4)


def test_grid_of_the_paper() -> None:
    boxes = PatchGrid().boxes(224)
    assert boxes.shape == (16, 4)
    assert boxes[:5].tolist() == [
        [0, 0, 64, 64],
        [51, 0, 64, 64],
        [102, 0, 64, 64],
        [153, 0, 64, 64],
        [0, 51, 64, 64],
    ]
    assert (boxes[:, :2] + 64).max() == 217


@settings(deadline=None)
@given(
    size=st.integers(1, 20),
    stride=st.integers(1, 25),
    extra=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    images=st.integers(0, 3),
    channels=st.integers(1, 4),
)
def test_patches_are_those_of_unfold(
    size: int, stride: int, extra: tuple[int, int], images: int, channels: int
) -> None:
    height, width = size + extra[0], size + extra[1]
    shape = (images, channels, height, width)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8)
    patches = extract_patches(frames, PatchGrid(size, stride))
    assert patches.dtype == torch.uint8
    assert patches.is_contiguous()
    if images == 0:
        assert patches.shape[0] == 0
        return
    columns = torch.nn.functional.unfold(frames.float(), size, stride=stride)
    expected = columns.transpose(1, 2).reshape(-1, channels, size, size)
    assert torch.equal(patches.float(), expected)


@settings(deadline=None)
@given(size=st.integers(1, 20), stride=st.integers(1, 25), extra=st.integers(0, 40))
def test_boxes_are_where_the_patches_were_cut(size: int, stride: int, extra: int) -> None:
    side = size + extra
    grid = PatchGrid(size, stride)
    frame = torch.arange(side * side).reshape(1, 1, side, side)
    patches = extract_patches(frame, grid)
    boxes = grid.boxes(side)
    assert len(boxes) == len(patches) == grid.per_side(side) ** 2
    for (x, y, w, h), patch in zip(boxes, patches, strict=True):
        assert torch.equal(frame[0, :, y : y + h, x : x + w], patch)


def test_impossible_grids() -> None:
    for size, stride in ((0, 1), (1, 0), (-3, 5)):
        with pytest.raises(AuditError):
            PatchGrid(size, stride)
    with pytest.raises(AuditError, match="does not fit"):
        PatchGrid(64, 51).boxes(63)
    with pytest.raises(AuditError, match="does not fit"):
        extract_patches(torch.zeros(1, 3, 64, 63), PatchGrid(64, 51))
