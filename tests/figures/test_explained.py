"""Figures of one picture explained at once, outside of any run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.figures import style
from analysis.figures.explained import (
    EXPLAINED_FIGURES,
    explained_bytes,
    explained_figures,
    export_explained,
)
from analysis.figures.export import export_figure
from analysis.figures.saliency_data import (
    OUTSIDE,
    AttentionDepth,
    Cell,
    ExplainedBy,
    Explanation,
    ExplanationOrigin,
    SaliencyIndex,
    SaliencyMap,
)
from analysis.figures.saliency_words import method_info
from tests.figures.drawn import assert_whole, texts
from tests.figures.made_saliency import CNN, METHODS, VIT, codes
from tests.figures.written import checked_provenance, each_in_every_format, each_in_every_width

SIDE = 64
REGION = (12, 3, 90, 90)
LABELS = ("gradcam", "scorecam", "attention", "rollout(first=3,last=5)", "random", "sobel")
FOLDER = "/home/someone/secret"


def make_explanation(image: int = OUTSIDE, name: str = "a dog.png", label: str = "") -> Explanation:
    """Two models, the second attends; what they were given lies in a private folder."""
    available = np.array([[[label in METHODS[model] for label in LABELS] for model in (CNN, VIT)]])
    maps = tuple(
        SaliencyMap(
            Cell(image, model, method),
            codes(1, model, method, 7, 7).astype(np.float32) / 255,
            REGION,
            "" if method in ("random", "sobel") else "blocks.3",
            "" if method in ("random", "sobel", "attention") else "finch",
            0.91,
            0.0,
            "",
        )
        for model in (CNN, VIT)
        for method in METHODS[model]
    )
    index = SaliencyIndex(
        run=0,
        models=(CNN, VIT),
        methods=tuple(method_info(label) for label in LABELS),
        images=np.array([image], dtype=np.int64),
        image_names=(name,),
        image_labels=(label,),
        available=available,
        layers={},
        depth_models=(VIT,),
        steps=0,
        settings=(("Explained class", "the predicted class"),),
        refused=((CNN, "Rollout", "the model has no attention"),),
    )
    attention = np.random.default_rng(0).random((3, 4, 6, 6)).astype(np.float32)
    depth = AttentionDepth(image, VIT, tuple(f"blocks.{n}.attn" for n in range(3)), attention,
                           REGION)  # fmt: skip
    y, x = np.mgrid[:SIDE, :SIDE]
    pixels = np.stack([4 * x, 4 * y, np.full_like(x, 90)], axis=2).astype(np.uint8)
    origin = ExplanationOrigin(
        "f" * 64,
        {"target": "predicted", "methods": "", "resize": 256, "frame": 224},
        tuple(
            ExplainedBy(model, f"timm:resnet18?pretrained=false@{FOLDER}/{n}.pth", f"{n}" * 64)
            for n, model in enumerate((CNN, VIT))
        ),
        "cpu",
        {"parallax": "1", "torch": "2.9"},
    )
    failed = (("Old net", f"{FOLDER}/old.pth is not there."),)
    return Explanation(name, pixels, index, maps, (depth,), failed, origin)


@pytest.fixture
def project(explained):
    return explained[0]


def drawn(explanation: Explanation, name: str, width_mm: float, **parameters):
    definition = EXPLAINED_FIGURES[name]
    asked = definition.parameters(**parameters)
    with style.journal_style():
        data = definition.read(explanation, asked)
        figure = definition.render(explanation, data, asked, width_mm)
        figure.set_dpi(100)
        figure.canvas.draw()
    return figure


def words(figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def check_provenance(found: dict, name: str) -> None:
    assert found["figure"] == name
    assert found["project"] == "explained"
    assert found["run"] is None
    assert found["picture"] == {
        "name": "a dog.png", "sha256": "f" * 64, "image": None, "label": None,
        "square": list(REGION),
    }  # fmt: skip
    assert found["parameters"]["target"] == "predicted"
    assert found["methods"] == list(LABELS)
    assert found["models"][1] == {
        "side": None,
        "name": VIT,
        "specification": "timm:resnet18?pretrained=false@1.pth",
        "weights_sha256": "1" * 64,
    }
    assert found["models_that_failed"] == ["Old net"]
    assert found["versions"]["torch"] == "2.9"
    assert found["written_by"].startswith("parallax-audit ")
    assert "someone" not in json.dumps(found)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("explained", "svg"),
        ("explained", "png"),
        ("explained-attention", "pdf"),
        *(
            pytest.param(*kind, marks=pytest.mark.slow)
            for kind in (
                ("explained", "pdf"),
                ("explained-attention", "svg"),
                ("explained-attention", "png"),
            )
        ),
    ],
)
def test_a_picture_becomes_every_kind_of_file(project, tmp_path, name, format) -> None:
    out = tmp_path / f"f.{format}"
    assert export_explained(project, make_explanation(), name, out, width_mm=85, dpi=60) == out
    assert b"someone" not in out.read_bytes()
    check_provenance(checked_provenance(out, 85, 60), name)
    if format == "svg":
        root = ElementTree.parse(out).getroot()
        title = next(root.iter("{http://purl.org/dc/elements/1.1/}title"))
        assert title.text == f"{EXPLAINED_FIGURES[name].title}: a dog.png"
    elif format == "png":
        with Image.open(out) as picture:
            assert "a dog.png" in picture.text["Description"]


@pytest.mark.parametrize("name", list(EXPLAINED_FIGURES))
def test_the_numbers_of_a_picture_become_files(project, tmp_path, name) -> None:
    for suffix in ("csv", "json"):
        out = export_explained(project, make_explanation(), name, tmp_path / f"f.{suffix}")
        assert b"someone" not in out.read_bytes()
    whole = json.loads((tmp_path / "f.json").read_text("utf-8"), parse_constant=pytest.fail)
    check_provenance(whole["provenance"], name)
    with open(tmp_path / "f.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(whole["rows"])
    assert {row["image"] for row in rows} == {""}  # the project has no such image


def test_the_numbers_are_those_of_the_maps(project, tmp_path) -> None:
    explanation = make_explanation()
    out = export_explained(project, explanation, "explained", tmp_path / "t.json")
    rows = json.loads(out.read_text("utf-8"))["rows"]
    assert len(rows) == len(explanation.maps)
    row = next(one for one in rows if (one["model"], one["method"]) == (VIT, "gradcam"))
    shown = next(m for m in explanation.maps if m.cell == Cell(OUTSIDE, VIT, "gradcam"))
    assert (row["class"], row["score"], row["path"]) == ("finch", 0.91, "a dog.png")
    assert [row[key] for key in ("x", "y", "width", "height")] == list(REGION)
    assert row["highest"] == pytest.approx(float(shown.values.max()))


@pytest.mark.parametrize(("name", "format"), each_in_every_format(EXPLAINED_FIGURES))
def test_the_same_explanation_gives_the_same_bytes(project, name, format) -> None:
    first, second = (
        explained_bytes(project, make_explanation(), name, format, 85, 60) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("name", "width_mm"), each_in_every_width(EXPLAINED_FIGURES, (60, 85, 175, 254))
)
def test_nothing_is_cut_off(name, width_mm) -> None:
    figure = drawn(make_explanation(), name, width_mm)
    assert figure.get_figwidth() * 25.4 == pytest.approx(width_mm)
    assert_whole(figure)


@pytest.mark.parametrize(
    "picture", ["M" * 250 + ".png", "$\\frac{x$ <b>.png", "\u202egnp.x", "空.png"]
)
def test_any_name_of_a_picture_draws(project, tmp_path, picture) -> None:
    explanation = make_explanation(name=picture)
    for name, format in zip(EXPLAINED_FIGURES, ("svg", "pdf"), strict=True):
        assert_whole(drawn(explanation, name, 85))
        for suffix in (format, "json"):
            export_explained(project, explanation, name, tmp_path / f"f.{suffix}", 85, 60)
    ElementTree.parse(tmp_path / "f.svg")


def test_the_picture_stands_beside_its_maps() -> None:
    figure = drawn(make_explanation(), "explained", 175)
    shown = [image.get_array() for image in figure.axes[0].images]
    pixels = make_explanation().pixels
    assert any(one.shape == pixels.shape and (np.asarray(one) == pixels).all() for one in shown)
    maps = len(make_explanation().maps)
    assert len(shown) == 1 + maps + 1  # the picture, its maps, the key
    assert "a dog.png" in words(figure)
    gaps = words(figure).count("no map")
    assert gaps == 2 * len(LABELS) - maps


def test_an_image_of_the_project_keeps_its_number_and_label(project, tmp_path) -> None:
    explanation = make_explanation(image=3, label="dog")
    out = export_explained(project, explanation, "explained", tmp_path / "t.json")
    whole = json.loads(out.read_text("utf-8"))
    assert {row["image"] for row in whole["rows"]} == {3}
    assert (whole["provenance"]["picture"]["image"], whole["provenance"]["picture"]["label"]) == (
        3,
        "dog",
    )
    assert "dog: a dog.png" in words(drawn(explanation, "explained", 175))


def test_only_what_was_asked_for_is_shown(project) -> None:
    read = EXPLAINED_FIGURES["explained"].read
    asked = EXPLAINED_FIGURES["explained"].parameters
    explanation = make_explanation()
    of_one = read(explanation, asked(models=CNN))
    assert of_one.row_titles == (CNN,)
    assert {cell.method for line in of_one.cells for cell in line} == set(METHODS[CNN])
    by_one = read(explanation, asked(methods="GradCAM"))
    assert set(by_one.maps) == {Cell(OUTSIDE, CNN, "gradcam"), Cell(OUTSIDE, VIT, "gradcam")}
    comma = "a, b"
    renamed = replace(
        explanation,
        index=replace(explanation.index, models=(comma, VIT)),
        maps=tuple(
            replace(m, cell=m.cell._replace(model=comma)) if m.cell.model == CNN else m
            for m in explanation.maps
        ),
    )
    assert read(renamed, asked(models=comma)).row_titles == (comma,)
    faint, strong = (
        explained_bytes(project, explanation, "explained", "png", 85, 60, opacity=opacity)
        for opacity in (0.1, 1.0)
    )
    assert faint != strong


def test_what_cannot_be_made_says_why(project, tmp_path) -> None:
    explanation = make_explanation()

    def write(name: str = "explained", out: str = "f.png", **more) -> None:
        export_explained(project, explanation, name, tmp_path / out, **more)

    for words_, ask in (
        ("no figure “layers”", lambda: write("layers")),
        ("no maps by the model “Nobody”", lambda: write(models="Nobody")),
        ("no method “lime”", lambda: write(methods="lime")),
        ("no map of this choice", lambda: write(models=CNN, methods="attention")),
        ("no attention of the model", lambda: write("explained-attention", model=CNN)),
        ("cannot be written as", lambda: write(out="f.bmp")),
        ("wide", lambda: write(width_mm=5)),
        ("dots an inch", lambda: write(dpi=5)),
        ("opacity", lambda: write(opacity=7)),
        ("does not exist", lambda: write(out="nowhere/f.csv")),
    ):
        with pytest.raises(AuditError, match=words_) as caught:
            ask()
        assert caught.value.hint
    assert not list(tmp_path.glob("f.*"))


def test_without_transformers_there_is_no_attention(project, tmp_path) -> None:
    explanation = replace(make_explanation(), depths=())
    assert [one.name for one in explained_figures(explanation)] == ["explained"]
    assert len(explained_figures(make_explanation())) == 2
    with pytest.raises(AuditError, match="no attention"):
        export_explained(project, explanation, "explained-attention", tmp_path / "f.png")


def test_no_network_library_is_loaded() -> None:
    code = "import sys, analysis.figures.explained; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_a_run_without_such_a_map_says_so_too(project, tmp_path) -> None:
    with pytest.raises(AuditError, match="no map of this choice"):
        export_figure(project, "saliency", tmp_path / "f.png", grid="image", models=CNN,
                      methods="attention")  # fmt: skip
