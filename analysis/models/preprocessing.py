"""From a photograph to what a model expects: size, channel order, and normalisation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from analysis.errors import AuditError

if TYPE_CHECKING:
    import torch

PREPROCESSING_OPTIONS = (
    "input",
    "resize",
    "crop_pct",
    "interpolation",
    "mean",
    "std",
    "order",
    "scale",
    "fit",
)
"""The options of a specification line that change the preprocessing, not the network."""

_INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
_LARGEST_SIDE = 4096


@dataclass(frozen=True)
class Preprocessing:
    """What a model was trained on.

    `height`, `width`: its input in pixels. `resize`: the shorter side before the centre crop
    (`fit` “crop”) or of the whole image pressed into the input's shape (“squash”). An input value
    is `(pixel / scale − mean) / std`, with `mean` and `std` in the model's `channel_order`;
    `scale` 255 brings pixels to 0…1 first, 1 leaves them at 0…255.
    """

    height: int = 224
    width: int = 224
    resize: int = 256
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    channel_order: Literal["RGB", "BGR"] = "RGB"
    scale: float = 255.0
    fit: Literal["crop", "squash"] = "crop"

    def __post_init__(self) -> None:
        for side in (self.height, self.width, self.resize):
            if not isinstance(side, int) or not 1 <= side <= _LARGEST_SIDE:
                raise AuditError(
                    f"A model's input cannot be {side} pixels.",
                    f"Give whole pixels from 1 to {_LARGEST_SIDE}.",
                )
        if self.interpolation not in _INTERPOLATIONS:
            raise AuditError(
                f"Unknown interpolation “{self.interpolation}”.",
                f"Choose one of {', '.join(_INTERPOLATIONS)}.",
            )
        if self.channel_order not in ("RGB", "BGR"):
            raise AuditError(f"Unknown order “{self.channel_order}”.", "Choose RGB or BGR.")
        if self.fit not in ("crop", "squash"):
            raise AuditError(f"Unknown fit “{self.fit}”.", "Choose crop or squash.")
        if len(self.mean) != 3 or len(self.std) != 3 or not self.scale > 0 or min(self.std) <= 0:
            raise AuditError(
                "The normalisation is not usable.",
                "Mean and std have three numbers each; std and scale are above zero.",
            )

    def to_json(self) -> str:
        """One line of JSON, the same for equal preprocessing."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """The inverse of `to_json`.

        :raises AuditError: the text is not a preprocessing.
        """
        try:
            values = json.loads(text)
            values["mean"] = tuple(float(value) for value in values["mean"])
            values["std"] = tuple(float(value) for value in values["std"])
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise AuditError(
                "The stored preprocessing of a model cannot be read.", "Add the model again."
            ) from error


def preprocessing_from_configuration(
    configuration: Mapping[str, Any], options: Mapping[str, Any] | None = None
) -> Preprocessing:
    """The preprocessing a library states for a model, with the specification's options over it.

    :param configuration: timm's data configuration (`input_size` as channels, height, width;
        `crop_pct`, `crop_mode`, `interpolation`, `mean`, `std`), or the same with `resize` in
        place of `crop_pct`.
    :param options: of the specification; names in `PREPROCESSING_OPTIONS` are used.
    :raises AuditError: an option has an impossible value.
    """
    _, height, width = configuration.get("input_size", (3, 224, 224))
    crop = float(configuration.get("crop_pct") or 0.875)
    interpolation = configuration.get("interpolation", "bilinear")
    base = Preprocessing(
        height=height,
        width=width,
        resize=configuration.get("resize") or int(min(height, width) / crop),
        interpolation=interpolation if interpolation in _INTERPOLATIONS else "bicubic",
        mean=_triple(configuration.get("mean", (0.485, 0.456, 0.406)), "mean"),
        std=_triple(configuration.get("std", (0.229, 0.224, 0.225)), "std"),
        fit="squash" if configuration.get("crop_mode") == "squash" else "crop",
    )
    return override_preprocessing(base, options or {})


def override_preprocessing(base: Preprocessing, options: Mapping[str, Any]) -> Preprocessing:
    """`base` with what the options of a specification say otherwise.

    `input` is one side or height,width; `resize` follows it in proportion unless `resize` or
    `crop_pct` (input ÷ resize) is given too.

    :raises AuditError: an option has an impossible value.
    """
    changes: dict[str, Any] = {}
    height, width = base.height, base.width
    if "input" in options:
        height, width = _sides(options["input"])
        changes.update(height=height, width=width)
        changes["resize"] = round(base.resize * min(height, width) / min(base.height, base.width))
    if "crop_pct" in options:
        crop = _number(options["crop_pct"], "crop_pct")
        if not 0 < crop <= 1:
            raise AuditError("The option “crop_pct” is above 0 and at most 1.", "")
        changes["resize"] = int(min(height, width) / crop)
    for option, field in (("interpolation", "interpolation"), ("fit", "fit"), ("resize", "resize")):
        if option in options:
            changes[field] = options[option]
    if "order" in options:
        changes["channel_order"] = str(options["order"]).upper()
    if "scale" in options:
        changes["scale"] = _number(options["scale"], "scale")
    for name in ("mean", "std"):
        if name in options:
            changes[name] = _triple(options[name], name)
    return replace(base, **changes)


def transform_image(image: Image.Image, preprocessing: Preprocessing) -> np.ndarray:
    """Resize and centre-crop a photograph as timm and torchvision do: (height, width, 3) uint8.

    The channels stay red, green, blue; `to_model_input` brings them into the model's order.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    size = _resized(image.width, image.height, preprocessing)
    if size != image.size:
        image = image.resize(size, _INTERPOLATIONS[preprocessing.interpolation])
    left = round((image.width - preprocessing.width) / 2.0)
    top = round((image.height - preprocessing.height) / 2.0)
    box = (left, top, left + preprocessing.width, top + preprocessing.height)
    return np.asarray(image if box == (0, 0, *image.size) else image.crop(box))


def to_model_input(
    pixels: torch.Tensor, preprocessing: Preprocessing, device: str | torch.device
) -> torch.Tensor:
    """Pixels as the model wants them, on `device`: (n, 3, height, width) float32, channels last.

    :param pixels: (n, 3, h, w) uint8, red, green, blue. Another size than the model's input is
        resized bilinearly (half-pixel centres, no antialiasing), as the patches of the concept
        comparison are.
    """
    import torch

    batch = pixels.to(device).to(torch.float32).contiguous(memory_format=torch.channels_last)
    if preprocessing.channel_order == "BGR":
        batch = batch.flip(1)
    mean = torch.tensor(preprocessing.mean, dtype=torch.float64)
    std = torch.tensor(preprocessing.std, dtype=torch.float64)
    factor = (1 / (preprocessing.scale * std)).to(batch).view(1, 3, 1, 1)
    offset = (-mean / std).to(batch).view(1, 3, 1, 1)
    # Normalising before resizing is the same up to rounding, and cheaper for small patches.
    batch = torch.addcmul(offset, batch, factor)
    size = (preprocessing.height, preprocessing.width)
    if tuple(batch.shape[-2:]) != size:
        batch = torch.nn.functional.interpolate(
            batch, size=size, mode="bilinear", align_corners=False, antialias=False
        )
    return batch.contiguous(memory_format=torch.channels_last)


def _resized(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    side = preprocessing.resize
    shorter_input = min(preprocessing.height, preprocessing.width)
    if preprocessing.fit == "squash":
        return (
            round(side * preprocessing.width / shorter_input),
            round(side * preprocessing.height / shorter_input),
        )
    shorter, longer = min(width, height), max(width, height)
    if shorter != side:
        longer = int(side * longer / shorter)
        shorter = side
    size = (shorter, longer) if width <= height else (longer, shorter)
    # A long crop out of a square photograph: enlarge until the crop lies within the image.
    cover = max(preprocessing.width / size[0], preprocessing.height / size[1], 1.0)
    return (round(size[0] * cover), round(size[1] * cover)) if cover > 1 else size


def _sides(value: Any) -> tuple[int, int]:
    sides = value if isinstance(value, tuple) else (value, value)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise AuditError(
            "The option “input” is a size in pixels.", "Write input=224 or input=224,192."
        )
    return sides[0], sides[1]


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AuditError(f"The option “{name}” is a number.", f"Write {name}=1.")
    return float(value)


def _triple(value: Any, name: str) -> tuple[float, float, float]:
    values = value if isinstance(value, tuple | list) else (value,) * 3
    if len(values) != 3:
        raise AuditError(f"The option “{name}” has three numbers.", f"Write {name}=0.5,0.5,0.5.")
    red, green, blue = (_number(entry, name) for entry in values)
    return red, green, blue
