"""How a model is written down in one line. Imports no torch.

`timm:ARCH?key=value@WEIGHTS`, or `export:FILE.pt2?key=value` for a network exported to a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from analysis.errors import AuditError

Library = Literal["timm", "torchvision", "sample", "export", "onnx"]
LIBRARIES: tuple[Library, ...] = ("timm", "torchvision", "sample", "export", "onnx")

EXPORTED: dict[str, str] = {"export": ".pt2", "onnx": ".onnx"}
"""Networks that are a file of their own, with the file's ending."""

HUB = "hub"
"""The value of `ModelSpecification.weights` that stands for the library's own trained weights."""

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".pth.tar", ".ckpt", ".bin")

_HUB_WORDS = {"hub", "pretrained"}
_ARCHITECTURE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_OPTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_HINT = (
    "Write timm:ARCHITECTURE or torchvision:ARCHITECTURE, then ?option=value&… and @WEIGHTS"
    " where needed, as timm:resnet50@/models/mine.safetensors."
)

# What an option can never be: it would read files or code that the line does not show.
_REFUSED_OPTIONS = {
    "cache_dir",
    "checkpoint_path",
    "exportable",
    "features_only",
    "in_chans",
    "model_dir",
    "no_jit",
    "out_indices",
    "progress",
    "scriptable",
    "weights",
    "weights_backbone",
}


@dataclass(frozen=True)
class ModelSpecification:
    """One model in words: where its architecture comes from, its options, and its weights.

    `weights` is a path (of an exported network, whose architecture is the file's name without its
    ending), `HUB` for the library's own trained weights, or None: untrained (for
    `sample`, the weights that ship with Parallax). `options` stand in the order given.
    """

    library: Library
    architecture: str
    options: tuple[tuple[str, Any], ...] = ()
    weights: str | None = None

    @property
    def text(self) -> str:
        """The canonical line; `parse_specification(s.text) == s`."""
        options = [f"{name}={_format_value(value)}" for name, value in self.options]
        if self.library in EXPORTED:
            return "?".join(filter(None, [f"{self.library}:{self.weights}", "&".join(options)]))
        if self.weights is None and self.library != "sample":
            options.append("pretrained=false")
        line = f"{self.library}:{self.architecture}"
        if options:
            line += "?" + "&".join(options)
        if self.weights is not None and self.weights != HUB:
            line += f"@{self.weights}"
        return line

    @property
    def weights_path(self) -> Path | None:
        """The weights file, or None when the weights come from elsewhere."""
        if self.weights is None or self.weights == HUB:
            return None
        return Path(self.weights).expanduser()

    def option(self, name: str, default: Any = None) -> Any:
        """The value of an option, or `default` where the line does not set it."""
        return dict(self.options).get(name, default)


def parse_specification(text: str) -> ModelSpecification:
    """Read `LIBRARY:ARCHITECTURE[?key=value&…][@WEIGHTS]`, or `export:FILE.pt2[?key=value&…]`
    and `onnx:FILE.onnx[?key=value&…]`.

    Without `@`, timm and torchvision stand for the library's own trained weights, unless
    `?pretrained=false` asks for an untrained network. Values are numbers, true, false, none,
    words, or several with commas between; `%XX` escapes are understood.

    :raises AuditError: the line cannot be understood, or has an option that is not allowed.
    """
    library, colon, rest = text.strip().partition(":")
    if not colon or library not in LIBRARIES:
        raise AuditError(f"“{text}” does not name a model.", _HINT)
    if library in EXPORTED:
        return _parse_exported(library, rest)
    description, at, weights = rest.partition("@")
    architecture, _, query = description.partition("?")
    if not _ARCHITECTURE.fullmatch(architecture):
        raise AuditError(f"“{architecture}” is not the name of an architecture.", _HINT)
    options = _parse_options(query)
    pretrained = options.pop("pretrained", True)
    if not isinstance(pretrained, bool):
        raise AuditError("The option “pretrained” is either true or false.", _HINT)
    if at:
        source: str | None = _check_weights(weights.strip())
    else:
        source = HUB if pretrained and library != "sample" else None
    return ModelSpecification(library, architecture, tuple(options.items()), source)


def _parse_exported(library: Library, rest: str) -> ModelSpecification:
    ending = EXPORTED[library]
    found = re.fullmatch(rf"(.+?{re.escape(ending)})(?:\?(.*))?", rest.strip(), re.IGNORECASE)
    if found is None:
        raise AuditError(
            f"“{rest}” is not an exported network.",
            f"Write {library}:FILE{ending}, then ?option=value&… where needed.",
        )
    path, query = found.groups()
    options = _parse_options(query or "")
    if "pretrained" in options:
        raise AuditError("An exported network has its own weights.", "Leave “pretrained” out.")
    name = re.split(r"[/\\]", path)[-1][: -len(ending)]
    return ModelSpecification(library, name, tuple(options.items()), path)


def _check_weights(weights: str) -> str:
    if not weights:
        raise AuditError("The line ends with @ but names no weights.", _HINT)
    if weights.lower() in _HUB_WORDS:
        return HUB
    if not weights.lower().endswith(WEIGHT_SUFFIXES):
        raise AuditError(
            f"“{Path(weights).name}” is not a kind of weights file that can be read.",
            f"Weights end with {', '.join(WEIGHT_SUFFIXES)}.",
        )
    return weights


def _parse_options(query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals or not _OPTION_NAME.fullmatch(name):
            raise AuditError(f"“{part}” is not an option.", "Options look like num_classes=10.")
        if name in _REFUSED_OPTIONS or name.startswith("pretrained_"):
            raise AuditError(f"The option “{name}” cannot be set here.", _HINT)
        if name in options:
            raise AuditError(f"The option “{name}” is set twice.", "Leave one of them out.")
        options[name] = _parse_value(unquote(value))
    return options


def _parse_value(text: str) -> Any:
    if "," in text:
        return tuple(_parse_scalar(part) for part in text.split(",") if part)
    return _parse_scalar(text)


def _parse_scalar(text: str) -> bool | int | float | str | None:
    word = text.strip().lower()
    if word in {"true", "false"}:
        return word == "true"
    if word == "none":
        return None
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    return text.strip()


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_format_value(part) for part in value) + ("," if len(value) < 2 else "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    return quote(str(value), safe="/+.-_ :") if isinstance(value, str) else repr(value)
