"""Methods as text and as settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from analysis.errors import AuditError
from analysis.saliency.methods import (
    ALIASES,
    METHODS,
    MethodSettings,
    parse_method,
    parse_methods,
    with_preset,
)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("gradcam", MethodSettings("gradcam")),
        (" GradCAM++ ", MethodSettings("gradcam++")),
        ("raw-pow(0.3)", MethodSettings("raw-pow", power=0.3)),
        ("rollout(3-5)", MethodSettings("rollout", first=3, last=5)),
        ("rollout(first=3, last=5)", MethodSettings("rollout", first=3, last=5)),
        ("rollout(4)", MethodSettings("rollout", first=4)),
        ("attention(8)", MethodSettings("attention", layer=8)),
        ("attention(layer=8,head=2)", MethodSettings("attention", layer=8, head=2)),
        ("raw-log", MethodSettings("raw-star")),
        ("raw*", MethodSettings("raw-star")),
        ("scorecam(score=probability,corners=true)",
         MethodSettings("scorecam", score="probability", corners=True)),
        ("xgradcam(guard=false)", MethodSettings("xgradcam", guard=False)),
    ],
)  # fmt: skip
def test_reading(text: str, settings: MethodSettings):
    assert parse_method(text) == settings
    assert parse_method(settings.label) == settings


def test_every_method_reads_back_and_has_words():
    for name, method in METHODS.items():
        assert parse_method(MethodSettings(name).label).method == name
        assert method.title
        assert method.description.endswith((".", "model."))
        assert set(method.options) <= set(MethodSettings.__dataclass_fields__)
    assert set(ALIASES.values()) <= set(METHODS)
    assert {n for n, m in METHODS.items() if m.kind == "null"} == {"random", "gaussian", "sobel"}


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "gradcam(3)", "gradcam(layer=3)", "rollout(5-3)", "rollout(x-3)",
        "attention(0)", "attention(head=-1)", "raw-pow(0)", "raw-pow(none)", "raw-pow(nan)",
        "rollout(fusion=median)", "rollout(discard=1)", "scorecam(score=loss)", "gradcam(",
        "scorecam(corners=perhaps)", "attention(colour=3)", "rollout(nan-3)",
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str):
    with pytest.raises(AuditError):
        parse_method(text)


def test_several():
    found = parse_methods("gradcam, rollout(first=3,last=5),random")
    assert [one.label for one in found] == ["gradcam", "rollout(first=3,last=5)", "random"]
    assert parse_methods("") == ()
    with pytest.raises(AuditError, match="twice"):
        parse_methods("raw-star, raw-log")


def test_thesis_preset():
    assert with_preset(parse_method("rollout"), "thesis").order == "thesis"
    assert with_preset(parse_method("scorecam"), "thesis").score == "probability"
    assert with_preset(parse_method("scorecam"), "thesis").corners
    assert not with_preset(parse_method("xgradcam"), "thesis").guard
    for name in METHODS:
        assert with_preset(MethodSettings(name), "correct") == MethodSettings(name)


def test_no_torch():
    """The window and figures read methods and stored maps without torch."""
    code = (
        "import sys, analysis.saliency.methods, analysis.saliency.storage;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
