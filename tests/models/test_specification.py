from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import AuditError
from analysis.models.specification import HUB, ModelSpecification, parse_specification


def test_reads_library_architecture_options_and_weights():
    line = "timm:mobilenetv2_100?num_classes=19&bn_eps=0.001&mean=0.5,0.4,0.3&a=none@/m/dogs.pth"
    read = parse_specification(line)
    assert (read.library, read.architecture) == ("timm", "mobilenetv2_100")
    assert dict(read.options) == {
        "num_classes": 19, "bn_eps": 0.001, "mean": (0.5, 0.4, 0.3), "a": None,
    }  # fmt: skip
    assert read.weights == "/m/dogs.pth"
    assert read.text == line


@pytest.mark.parametrize(
    ("line", "weights", "text"),
    [
        ("timm:resnet18", HUB, "timm:resnet18"),
        ("timm:resnet18@hub", HUB, "timm:resnet18"),
        ("timm:resnet18@pretrained", HUB, "timm:resnet18"),
        ("timm:resnet18?pretrained=true", HUB, "timm:resnet18"),
        ("torchvision:resnet18?pretrained=false", None, "torchvision:resnet18?pretrained=false"),
        ("sample:pink", None, "sample:pink"),
        ("timm:resnet50.a1_in1k", HUB, "timm:resnet50.a1_in1k"),
        ("timm:resnet18@C:\\m@home\\x.pt", "C:\\m@home\\x.pt", "timm:resnet18@C:\\m@home\\x.pt"),
        ("timm:resnet50@moco.pth.tar", "moco.pth.tar", "timm:resnet50@moco.pth.tar"),
    ],
)
def test_weights_and_canonical_text(line: str, weights: str | None, text: str):
    read = parse_specification(line)
    assert read.weights == weights
    assert read.text == text
    assert parse_specification(read.text) == read


@pytest.mark.parametrize(
    "line",
    [
        "", "resnet18", "keras:resnet18", "timm:", "timm:../x", "timm:resnet18@", "timm:a b",
        "timm:resnet18@weights.pkl", "timm:resnet18?num_classes", "timm:resnet18?a=1&a=2",
        "timm:resnet18?pretrained=maybe", "sample:pink@file.pkl",
        "timm:resnet18?checkpoint_path=evil.pth", "timm:resnet18?pretrained_cfg=x",
        "timm:resnet18?in_chans=1",
    ],
)  # fmt: skip
def test_refuses_with_a_hint(line: str):
    with pytest.raises(AuditError) as caught:
        parse_specification(line)
    assert caught.value.hint


_scalars = st.one_of(
    st.booleans(), st.none(), st.integers(-10**6, 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.from_regex(r"[a-z][a-z@&?=%, é]{0,8}x", fullmatch=True).filter(
        lambda text: text not in ("true", "false", "none") and "," not in text
    ),
)  # fmt: skip


@given(
    st.dictionaries(
        st.from_regex(r"o[a-z_]{0,6}", fullmatch=True).filter(lambda name: name != "out_indices"),
        st.one_of(_scalars, st.lists(_scalars, min_size=1, max_size=3).map(tuple)),
        max_size=4,
    )
)
def test_text_round_trips(options):
    specification = ModelSpecification("timm", "resnet18", tuple(options.items()), "w.pth")
    assert parse_specification(specification.text) == specification


def test_importing_needs_no_torch():
    code = "import sys, analysis.models.specification; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
