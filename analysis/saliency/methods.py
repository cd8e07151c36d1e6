"""The saliency methods: their names, what each needs of a model, and their settings. No torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from analysis.errors import AuditError
from analysis.near_names import name_hint

Need = Literal["maps", "attention", "class token", "head", "gradients"]
Kind = Literal["cam", "attention", "relevance", "null"]
Preset = Literal["correct", "thesis"]
Fusion = Literal["mean", "max", "min"]


@dataclass(frozen=True)
class Method:
    """A way of saying where a model looks.

    `needs`: of the model: “maps” (a layer with places), “attention” (weights between tokens that
    can be recorded), “class token”, “head” (class scores), “gradients”. `options`: the fields of
    `MethodSettings` it reads. `source`: where it is defined.
    """

    name: str
    title: str
    kind: Kind
    needs: frozenset[Need]
    class_dependent: bool
    description: str
    source: str
    options: tuple[str, ...] = ()


def _method(name: str, title: str, kind: Kind, needs: str, text: str, source: str, options: str = ""
            ) -> Method:  # fmt: skip
    found = frozenset(need.strip() for need in needs.split(",") if need)
    return Method(
        name, title, kind, found, "head" in found, text, source, tuple(options.split())  # type: ignore[arg-type]
    )  # fmt: skip


_GRADIENT_CAM = "maps,head,gradients"
_CLASS_ATTENTION = "attention,class token"

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _method(
            "gradcam", "GradCAM", "cam", _GRADIENT_CAM,
            "The layer's maps, weighted by the mean gradient of the class score.",
            "Selvaraju et al. 2017",
        ),
        _method(
            "gradcam++", "GradCAM++", "cam", _GRADIENT_CAM,
            "As GradCAM; places with a larger positive gradient count more.",
            "Chattopadhay et al. 2018",
        ),
        _method(
            "xgradcam", "XGradCAM", "cam", _GRADIENT_CAM,
            "As GradCAM; gradients count by how active the map is where they are.",
            "Fu et al. 2020", "guard",
        ),
        _method(
            "scorecam", "Score-CAM", "cam", "maps,head",
            "The layer's maps, weighted by the score of the image seen through each map. "
            "One forward a channel.",
            "Wang et al. 2020", "score corners channels",
        ),
        _method(
            "attention", "Raw attention", "attention", _CLASS_ATTENTION,
            "How much the class token attends to each patch, mean of the heads or one head.",
            "Caron et al. 2021; thesis Raw", "layer head",
        ),
        _method(
            "raw-star", "Raw* (Raw-Log)", "attention", _CLASS_ATTENTION,
            "The class token's attention before the softmax.", "thesis Raw*, Raw-Log", "layer head",
        ),
        _method(
            "raw-pow", "Raw-Pow", "attention", _CLASS_ATTENTION,
            "Each head's attention raised to a power below one, then their mean.",
            "thesis Raw-Pow(p)", "power layer head",
        ),
        _method(
            "keys-norm", "Keys-norm", "attention", "attention",
            "The length of each patch's key, after the mean over heads.",
            "thesis Keys_norm, Eq. 3.1", "layer head",
        ),
        _method(
            "raw-keys", "Raw* × Keys-norm", "attention", _CLASS_ATTENTION,
            "The product of Raw* and Keys-norm, each first brought to 0…1.",
            "thesis Raw* × Keys_norm", "layer head",
        ),
        _method(
            "rollout", "Rollout", "attention", _CLASS_ATTENTION,
            "Attention followed through the layers, with the residual as the identity.",
            "Abnar and Zuidema 2020; thesis Eq. 2.33", "first last fusion discard order",
        ),
        _method(
            "tibav", "TIBAV", "relevance", "attention,class token,head,gradients",
            "Relevance of the class propagated through the transformer, times the attention's "
            "gradient, followed through the layers.",
            "Chefer et al., CVPR 2021", "first",
        ),
        _method(
            "gradient-rollout", "Gradient rollout", "relevance",
            "attention,class token,head,gradients",
            "As TIBAV with the attention itself in place of its propagated relevance: for any "
            "block, without propagation.",
            "Chefer et al., ICCV 2021", "first",
        ),
        _method(
            "random", "Random (null)", "null", "",
            "Uniform noise: what a map that knows nothing scores.", "null map", "seed",
        ),
        _method(
            "gaussian", "Centre (null)", "null", "",
            "A Gaussian on the image's centre: photographs have their subject there.", "null map",
        ),
        _method(
            "sobel", "Edges (null)", "null", "",
            "The image's edges, without any model.", "null map; Adebayo et al. 2018",
        ),
    )
}  # fmt: skip

ALIASES = {
    "grad-cam": "gradcam",
    "gradcampp": "gradcam++",
    "grad-cam++": "gradcam++",
    "score-cam": "scorecam",
    "raw": "attention",
    "raw-attention": "attention",
    "raw*": "raw-star",
    "raw-log": "raw-star",
    "raw-star-keys": "raw-keys",
    "raw*-keys": "raw-keys",
    "keys": "keys-norm",
    "edges": "sobel",
}
"""Other names by which the methods are known."""


@dataclass(frozen=True)
class MethodSettings:
    """A method and how it is used.

    `layer`: of attention methods, the number of the attention layer, 1 for the first; None for the
    last. `head`: one head, 1 for the first; None for the mean. `power`: of Raw-Pow. `first`,
    `last`: the range of layers of rollout, both counted; None for the ends. `fusion`: of the heads
    in rollout. `discard`: the share of a layer's weakest attentions that rollout leaves out.
    `order`: of rollout's product, “correct” last·…·first with rows that sum to one, “thesis”
    first·…·last as the thesis' code does. `score`: what Score-CAM weighs channels by. `corners`:
    whether Score-CAM enlarges maps with their corner values on the image's corners (as the package
    grad-cam does) or with half-pixel centres. `channels`: Score-CAM on the most varied channels
    alone: an approximation; None for all. `guard`: whether XGradCAM leaves out channels whose sum
    all but cancels, where its weight is meaningless. `seed`: of the random map.
    """

    method: str
    layer: int | None = None
    head: int | None = None
    power: float = 0.5
    first: int | None = None
    last: int | None = None
    fusion: Fusion = "mean"
    discard: float = 0.0
    order: Preset = "correct"
    score: Literal["logit", "probability"] = "logit"
    corners: bool = False
    channels: int | None = None
    guard: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", ALIASES.get(self.method, self.method))
        if self.method not in METHODS:
            raise AuditError(
                f"Unknown saliency method “{self.method}”.",
                name_hint(self.method, METHODS, f"There are: {', '.join(METHODS)}."),
            )
        own = METHODS[self.method].options
        for field in fields(self)[1:]:
            if field.name not in own and getattr(self, field.name) != field.default:
                raise AuditError(
                    f"The method “{self.method}” has no setting “{field.name}”.",
                    f"Its settings: {', '.join(own) or 'none'}.",
                )
        for name in ("layer", "head", "first", "last", "channels"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise AuditError(f"“{name}” is a whole number from 1 on.", f"It was {value}.")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise AuditError("The range of layers ends before it begins.", "Give first ≤ last.")
        if not 0 < self.power <= 10:
            raise AuditError("The power is above 0 and at most 10.", f"It was {self.power}.")
        if not 0 <= self.discard < 1:
            raise AuditError("The discarded share is from 0 to below 1.", f"It was {self.discard}.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise AuditError(
                    f"“{name}” cannot be “{getattr(self, name)}”.",
                    f"Choose {' or '.join(choices)}.",
                )

    @property
    def definition(self) -> Method:
        """The method itself."""
        return METHODS[self.method]

    @property
    def label(self) -> str:
        """The method with what differs from its defaults, as `rollout(first=3,last=5)`.

        `parse_method` reads it back.
        """
        changed = [
            f"{field.name}={_written(getattr(self, field.name))}"
            for field in fields(self)[1:]
            if getattr(self, field.name) != field.default
        ]
        return f"{self.method}({','.join(changed)})" if changed else self.method

    @property
    def title(self) -> str:
        """The label for people, as “Rollout 3–5”."""
        text = self.definition.title
        if self.method == "raw-pow":
            text += f" ({self.power:g})"
        if self.first is not None or self.last is not None:
            text += f" {self.first or 1}–{self.last or 'last'}"
        if self.layer is not None:
            text += f", layer {self.layer}"
        if self.head is not None:
            text += f", head {self.head}"
        told = ("layer", "head", "power", "first", "last")
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if field.name not in told and value != field.default:
                text += f", {field.name} {_written(value)}"
        return text


_CHOICES = {
    "fusion": ("mean", "max", "min"),
    "order": ("correct", "thesis"),
    "score": ("logit", "probability"),
}


def parse_method(text: str) -> MethodSettings:
    """A method as text: `gradcam`, `raw-pow(0.5)`, `rollout(3-5)`, `attention(layer=8,head=2)`.

    Alone in the brackets may stand: a power for raw-pow, a range of layers for rollout, a layer
    for the other attention methods.

    :raises AuditError: it cannot be read so.
    """
    match = re.fullmatch(r"\s*([^()\s]+)\s*(?:\(([^()]*)\))?\s*", text)
    if match is None:
        raise AuditError(f"“{text}” is no saliency method.", "Write it as rollout(first=3,last=5).")
    name, inside = ALIASES.get(match[1].lower(), match[1].lower()), match[2] or ""
    values: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in inside.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        values |= _read_option(key, value, text) if equals else _short_option(name, key, text)
    return MethodSettings(name, **values)


def parse_methods(text: str) -> tuple[MethodSettings, ...]:
    """Several methods, with commas between them.

    :raises AuditError: one of them cannot be read, or stands there twice.
    """
    parts = [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    found = tuple(parse_method(part) for part in parts)
    check_distinct(found)
    return found


def check_distinct(methods: tuple[MethodSettings, ...]) -> None:
    """Raise `AuditError` if two of the methods are the same."""
    labels = [settings.label for settings in methods]
    for label in labels:
        if labels.count(label) > 1:
            raise AuditError(f"The method “{label}” is there twice.", "Name each method once.")


_THESIS: dict[str, dict[str, Any]] = {
    "rollout": {"order": "thesis"},
    "scorecam": {"score": "probability", "corners": True},
    "xgradcam": {"guard": False},
}


def with_preset(settings: MethodSettings, preset: Preset) -> MethodSettings:
    """The settings as the thesis' code computes the method, or as they are for “correct”.

    Thesis: rollout multiplies first·…·last, Score-CAM weighs by the probability and enlarges maps
    as the package grad-cam does, XGradCAM has no guard.
    """
    if preset == "correct":
        return settings
    return replace(settings, **_THESIS.get(settings.method, {}))


def _short_option(name: str, value: str, text: str) -> dict[str, Any]:
    if name == "raw-pow":
        return _read_option("power", value, text)
    if "first" in METHODS[name].options if name in METHODS else False:
        first, dash, last = value.partition("-")
        if dash:
            return _read_option("first", first, text) | _read_option("last", last, text)
        return _read_option("first", first, text)
    return _read_option("layer", value, text)


_TYPES = {
    "layer": int, "head": int, "first": int, "last": int, "channels": int, "seed": int,
    "power": float, "discard": float, "fusion": str, "order": str, "score": str,
}  # fmt: skip


def _read_option(key: str, value: str, text: str) -> dict[str, Any]:
    if key in ("corners", "guard") and value in ("true", "false"):
        return {key: value == "true"}
    try:
        return {key: _TYPES[key](value)}
    except (KeyError, ValueError) as error:
        raise AuditError(
            f"“{key}={value}” in “{text.strip()}” cannot be read.",
            "Write settings as layer=8,head=2.",
        ) from error


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
