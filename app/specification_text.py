"""Model specifications as text: taking apart and putting together. No Qt, no torch here.

`LIBRARY:ARCHITECTURE[?key=value&…][@WEIGHTS]`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".tar", ".bin")
WEIGHT_FILTER = f"Weights ({' '.join(f'*{suffix}' for suffix in WEIGHT_SUFFIXES)});;All files (*)"

# What a specification may say about preprocessing: (key, label, help).
PREPROCESSING = (
    ("input", "Input side", "Pixels of the network's input, as 224"),
    ("mean", "Mean", "Subtracted from each channel, as 0.485,0.456,0.406"),
    ("std", "Standard deviation", "Each channel is divided by it, as 0.229,0.224,0.225"),
    ("order", "Channel order", "RGB, or BGR for weights from Caffe"),
    ("scale", "Pixel values", "255: pixels become 0…1; 1: they stay 0…255"),
)


@dataclass(frozen=True)
class SpecificationParts:
    base: str
    options: tuple[tuple[str, str], ...]
    weights: str


def split_specification(text: str) -> SpecificationParts:
    """Take a specification apart, however incomplete it is."""
    head, _at, weights = text.strip().partition("@")
    base, _mark, query = head.partition("?")
    options = []
    for part in query.split("&"):
        if part:
            key, _equals, value = part.partition("=")
            options.append((key, value))
    return SpecificationParts(base.strip(), tuple(options), weights.strip())


def join_specification(parts: SpecificationParts) -> str:
    """Put a specification together."""
    query = "&".join(f"{key}={value}" if value else key for key, value in parts.options)
    text = f"{parts.base}?{query}" if query else parts.base
    return f"{text}@{parts.weights}" if parts.weights else text


def compose_specification(text: str, weights: str, options: Mapping[str, str]) -> str:
    """The specification `text` with a weights file and options set; empty ones change nothing."""
    parts = split_specification(text)
    merged = dict(parts.options)
    merged.update((key, value.strip()) for key, value in options.items() if value.strip())
    return join_specification(
        SpecificationParts(parts.base, tuple(merged.items()), weights.strip() or parts.weights)
    )


def suggest_model_name(text: str, taken: set[str]) -> str:
    """A name for a model: its weights file, or its architecture."""
    parts = split_specification(text)
    architecture = parts.base.partition(":")[2] or parts.base
    stem = Path(parts.weights).stem if parts.weights and parts.weights != "hub" else architecture
    stem = "".join(c for c in stem if c.isprintable()).strip()[:100] or "model"
    number, name = 2, stem
    while name in taken:
        name, number = f"{stem} {number}", number + 1
    return name
