"""The real photographs: 400 scenes in a Broden layout that is a set of class folders as well."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.images.frames import Frame, PatchGrid, extract_patches
from analysis.images.loading import load_frames
from analysis.images.scanning import ScannedImage, open_source, scan
from analysis.progress import Progress

pytestmark = pytest.mark.shared


def images_of(folder: Path) -> list[ScannedImage]:
    results = list(scan(open_source(folder), Progress()))
    assert all(isinstance(item, ScannedImage) for item in results)
    return [item for item in results if isinstance(item, ScannedImage)]


def test_both_ways_of_reading_agree(shared: Path) -> None:
    scenes = shared / "data" / "scenes"
    layout, folders = images_of(scenes), images_of(scenes / "images")
    for images in (layout, folders):
        assert len(images) == 400
        assert Counter(image.label for image in images).most_common()[0][1] == 40
        assert len({image.label for image in images}) == 10
        assert {(image.width, image.height) for image in images} == {(224, 224)}
        assert all(image.path.endswith(".jpg") for image in images)
    assert {i.path: i.sha256 for i in layout} == {i.path: i.sha256 for i in folders}
    assert [i.path for i in folders] == sorted(i.path for i in folders)
    assert {i.split for i in layout} >= {"train", "val"}


def test_frames_of_real_photographs_are_their_pixels(shared: Path) -> None:
    """At 224 pixels nothing is resized: the frame is Pillow's own decoding."""
    root = shared / "data" / "scenes" / "images"
    paths = sorted((root / "bird").glob("*.jpg"))[:8]
    frames = [frame.pixels for frame in load_frames(paths, Frame().apply, Progress())]
    for path, frame in zip(paths, frames, strict=True):
        with Image.open(path) as image:
            assert (np.asarray(image.convert("RGB")) == frame).all()
    batch = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
    assert extract_patches(batch, PatchGrid()).shape == (8 * 16, 3, 64, 64)
