"""A detector in a project: added from the command line, and audited like any other model."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from analysis.cli import cli

LITE = "torchvision:ssdlite320_mobilenet_v3_large"
LINE = "torchvision:fasterrcnn_mobilenet_v3_large_320_fpn"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for label in ("dots", "lines"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(10):
            shape = (96, 1, 3) if label == "lines" else (96, 96, 3)
            pixels = np.broadcast_to(generator.integers(0, 256, shape), (96, 96, 3))
            picture = Image.fromarray(pixels.astype(np.uint8))
            picture.save(tmp_path / "images" / label / f"{number}.png")
    return tmp_path


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PARALLAX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def test_added_untrained_and_dissected(folder: Path):
    file = folder / "d.parallax"
    result = CliRunner().invoke(
        cli,
        ["new", str(file), "--images", f"shapes={folder / 'images'}",
         "--model", f"rcnn={LINE}?input=96&pretrained=false"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with sqlite3.connect(file) as project:
        report, layers = project.execute(
            "SELECT load_report, (SELECT COUNT(*) FROM layer) FROM model"
        ).fetchone()
    assert json.loads(report)["untrained"]
    assert layers > 100
    run = CliRunner().invoke(
        cli,
        ["run", str(file), "dissection", "--models", "rcnn", "--device", "cpu",
         "--set", "layers=backbone.body.3,backbone.body.16.2"],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    with sqlite3.connect(file) as project:
        rows = project.execute("SELECT layer, COUNT(*) FROM unit GROUP BY layer").fetchall()
    assert dict(rows) == {"backbone.body.3": 24, "backbone.body.16.2": 960}


@pytest.mark.slow
def test_layers_compared_with_a_classifier(folder: Path):
    """Offline the trained weights cannot be had: the model comes untrained, and can be run."""
    file = folder / "d.parallax"
    result = CliRunner().invoke(
        cli,
        ["new", str(file), "--images", f"shapes={folder / 'images'}",
         "--model", f"lite={LITE}", "--model", "pink=sample:pink-sensitive"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with sqlite3.connect(file) as project:
        notes = dict(project.execute("SELECT name, load_report FROM model"))
    assert "Untrained" in json.loads(notes["lite"])["note"]
    settings = [
        "layers=3", "images_per_class=10", "preset=reference", "permutations=50", "replicates=100",
        "group_by=label", "components=2",
    ]  # fmt: skip
    run = CliRunner().invoke(
        cli,
        ["run", str(file), "layers", "--models", "lite", "--models", "pink", "--device", "cpu",
         *(part for setting in settings for part in ("--set", setting))],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    with sqlite3.connect(file) as project:
        found = project.execute("SELECT layer_a, mmcs_pearson FROM layer_similarity").fetchall()
    assert len({layer for layer, _ in found}) == 3
    assert all(value is not None and -1 <= value <= 1 for _, value in found)
