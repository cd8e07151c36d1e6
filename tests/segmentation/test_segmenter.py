"""Segmentation models of transformers; a tiny untrained one, saved as safetensors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.progress import Progress
from analysis.segmentation.merged import LabelPlanes
from analysis.segmentation.planes import PlaneImage
from analysis.segmentation.reading import read_planes
from analysis.segmentation.segmenter import SegmenterPlanes

NAMES = {0: "background", 1: "wall", 2: "cat", 3: "sky"}


def test_without_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AuditError, match="not installed") as raised:
        SegmenterPlanes(tmp_path)
    assert "parallax-audit[segmentation]" in raised.value.hint


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def tiny(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    folder = tmp_path_factory.mktemp("segformer")
    config = transformers.SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[4, 2], hidden_sizes=[8, 16],
        patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2],
        decoder_hidden_size=16, num_labels=4, id2label=NAMES,
        label2id={name: label for label, name in NAMES.items()},
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.SegformerForSemanticSegmentation(config)
    torch.nn.init.normal_(model.decode_head.classifier.weight, std=3.0)
    model.save_pretrained(folder)
    transformers.SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture
def photographs(tmp_path: Path) -> list[PlaneImage]:
    found = []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((80, 60), Image.Resampling.BICUBIC)
        picture.save(tmp_path / f"{seed}.png")
        found.append(PlaneImage(f"{seed}.png", tmp_path / f"{seed}.png", None, 80, 60))
    return found


def test_planes_are_those_of_the_model_itself(transformers, tiny: Path, photographs) -> None:
    import torch

    planes = LabelPlanes([SegmenterPlanes(tiny)], Frame(60, 60), 14)
    assert planes.space.names == ("wall", "cat", "sky")
    assert set(planes.space.categories) == {"object"}
    stack = read_planes(planes, photographs, Progress())
    assert stack.problems == ()
    model = transformers.SegformerForSemanticSegmentation.from_pretrained(tiny).eval()
    processor = transformers.SegformerImageProcessor.from_pretrained(tiny)
    seen = set()
    for image, codes in zip(photographs, stack.codes, strict=True):
        square = Image.open(image.file).crop((10, 0, 70, 60))
        with torch.inference_mode():
            output = model(**processor(images=square, return_tensors="pt"))
        labels = processor.post_process_semantic_segmentation(output, target_sizes=[(14, 14)])[0]
        # `background` is no concept; the others keep their order.
        assert np.array_equal(codes[0], labels.numpy())
        seen |= set(np.unique(codes))
    assert len(seen) > 1


def test_it_is_loaded_only_when_something_is_to_be_made(tiny: Path, photographs) -> None:
    kept: dict[bytes, np.ndarray] = {}

    class Shelf:
        def read(self, keys):
            return [kept[key] for key in keys] if all(key in kept for key in keys) else None

        def write(self, matrices) -> None:
            kept.update(matrices)

    source = SegmenterPlanes(str(tiny))
    first = read_planes(LabelPlanes([source], Frame(60, 60), 14), photographs, Progress(), Shelf())
    again = SegmenterPlanes(tiny)
    assert again.key == source.key
    planes = LabelPlanes([again], Frame(60, 60), 14)
    assert read_planes(planes, photographs, Progress(), Shelf()).digest == first.digest
    assert again._model is None
    source.close()
    assert source._model is None


def test_other_weights_have_another_key(tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tiny.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    tensors = load_file(copy / "model.safetensors")
    tensors["decode_head.classifier.bias"] += 1
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    assert SegmenterPlanes(copy).key != SegmenterPlanes(tiny).key
    assert SegmenterPlanes(tiny, category="thing").key != SegmenterPlanes(tiny).key


def test_weights_that_are_not_whole(tiny: Path, tmp_path: Path, photographs) -> None:
    from safetensors.torch import load_file, save_file

    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    for name in [n for n in tensors if n.startswith("decode_head.classifier")]:
        del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    planes = LabelPlanes([SegmenterPlanes(tmp_path)], Frame(60, 60), 14)
    with pytest.raises(AuditError, match="lacks trained weights for segmentation"):
        read_planes(planes, photographs, Progress())
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    planes = LabelPlanes([SegmenterPlanes(tmp_path)], Frame(60, 60), 14)
    with pytest.raises(AuditError, match="cannot be used as a segmentation model"):
        read_planes(planes, photographs, Progress())


@pytest.mark.parametrize(
    ("remove", "reason"),
    [("model.safetensors", "no weights as safetensors"), ("config.json", "cannot be used"),
     ("preprocessor_config.json", "transform of the segmentation model")],
)  # fmt: skip
def test_folders_that_lack_something(tiny: Path, tmp_path: Path, remove: str, reason: str) -> None:
    for file in tiny.iterdir():
        if file.name != remove:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"never opened")
    with pytest.raises(AuditError, match=reason):
        SegmenterPlanes(tmp_path)


def test_code_that_comes_with_a_model_is_not_run(tiny: Path, tmp_path: Path) -> None:
    import json

    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["model_type"] = "unheard-of"
    config["auto_map"] = {"AutoConfig": "own.OwnConfig"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('was run')\n")
    with pytest.raises(AuditError, match="cannot be used as a segmentation model"):
        SegmenterPlanes(tmp_path)


@pytest.mark.parametrize("name", ["nobody/nothing", "no such folder", "../up", "a/b/c"])
def test_models_that_are_not_here(transformers, name: str) -> None:
    with pytest.raises(AuditError, match=r"not on this machine|no segmentation model at"):
        SegmenterPlanes(name)
