"""torchvision's detection models as backbones: every layer up to the maps that boxes are read from.

No box is computed. torchvision resizes each photograph and pads a batch of photographs of unequal
size to a common canvas; here all images of a batch have one size, so nothing is padded and no
boxes need a way back. What is left of the detector's own transform is one scaling: a square of the
photograph (the frame) becomes the model's input, and a map of `rows` × `columns` cells lies over
the whole of it. Cell (r, c) stands for the part of the frame, in shares of its height and width,

    r / rows … (r + 1) / rows  by  c / columns … (c + 1) / columns,

as for any other model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.preprocessing import Preprocessing

# The published weights of these were trained with normalisations that add nothing to the variance.
_NO_EPSILON = {
    "fasterrcnn_resnet50_fpn": "COCO_V1",
    "keypointrcnn_resnet50_fpn": "COCO_V1",
    "maskrcnn_resnet50_fpn": "COCO_V1",
    "retinanet_resnet50_fpn": "COCO_V1",
}

_SETTLING_IMAGES = 8
_SETTLING_SIDE = 192


class DetectorBackbone(nn.Module):
    """The backbone of a detector with its feature pyramid, without what makes boxes of it.

    Layers keep the detector's own names (`backbone.body.layer4`, `backbone.features.21`). The
    output is a vector for each image: the means over all places of every map that the detector's
    heads read, finest map first, side by side.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (n, channels of all levels) of model inputs (n, 3, height, width)."""
        levels = self.backbone(images)
        maps = [levels] if isinstance(levels, torch.Tensor) else list(levels.values())
        return torch.cat([level.mean((2, 3)) for level in maps], 1)


def detector_names() -> tuple[str, ...]:
    """torchvision's detection architectures; builds nothing."""
    from torchvision import models

    return tuple(models.list_models(module=models.detection))


def build_detector(
    name: str, options: Mapping[str, Any]
) -> tuple[DetectorBackbone, Preprocessing, tuple[str, ...]]:
    """A detector's backbone with random weights, its input, and the names of the parts left out.

    Its rectifiers do not work in place, so that a layer's output stays what it was and may be
    differentiated through; the numbers are the same.

    :param options: for torchvision's builder, as `min_size`; `num_classes` is of the left-out
        heads and without effect.
    :raises AuditError: `name` cannot be built with these options.
    """
    from torchvision import models

    settings = {key: value for key, value in options.items() if key != "num_classes"}
    try:
        detector = models.get_model_builder(name)(weights=None, weights_backbone=None, **settings)
        preprocessing = _preprocessing(detector.transform)
    except AuditError:
        raise
    except Exception as error:  # a dozen constructors answer a wrong option in many ways
        raise AuditError(
            f"{name} cannot be built with these options: {str(error).splitlines()[0]}",
            "Check the options of the specification: " + ", ".join(settings),
        ) from error
    others = tuple(part for part, _ in detector.named_children() if part != "backbone")
    for part in detector.backbone.modules():
        if getattr(part, "inplace", False):
            part.inplace = False
    return DetectorBackbone(detector.backbone).eval(), preprocessing, others


def put_hub_weights(network: DetectorBackbone, name: str) -> None:
    """Put torchvision's own trained weights in, downloading them unless they are on this machine.

    :raises UnreachableWeightsError: they are neither here nor to be had.
    :raises AuditError: they are damaged or do not fit.
    """
    from torchvision import models

    from analysis.models.checkpoints import read_tensors
    from analysis.models.hub import cached_download

    trained = getattr(models.get_model_weights(name), "DEFAULT", None)
    if trained is None:
        raise AuditError(f"There are no trained weights for {name}.", "Give a weights file.")
    tensors = read_tensors(cached_download(trained.url, name))
    own = network.state_dict()
    for key, tensor in own.items():
        if key.endswith("num_batches_tracked"):  # counts training steps; no output depends on it
            continue
        if key not in tensors or tensors[key].shape != tensor.shape:
            raise AuditError(f"The hub's weights do not fit {name}.", f"At {key}.")
        tensor.copy_(tensors[key])
    if _NO_EPSILON.get(name) == trained.name:
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eps = 0.0


def settle_normalisations(network: nn.Module, preprocessing: Preprocessing) -> None:
    """Give an untrained network's batch normalisations the statistics of random images.

    So they have them at the first step of a training. Without, each passes its input on as it
    is, and values shrink from layer to layer until half precision cannot tell them from zero.
    """
    from analysis.models.preprocessing import to_model_input

    parts = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    if not parts:
        return
    generator = torch.Generator().manual_seed(0)
    size = (_SETTLING_IMAGES, 3, _SETTLING_SIDE // 8, _SETTLING_SIDE // 8)
    pixels = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    small = replace(preprocessing, height=_SETTLING_SIDE, width=_SETTLING_SIDE)
    momenta = [part.momentum for part in parts]
    for part in parts:
        part.train()
        part.momentum = 1.0
    with torch.no_grad():
        network(to_model_input(pixels, small, "cpu"))
    for part, momentum in zip(parts, momenta, strict=True):
        part.eval()
        part.momentum = momentum


def input_side(name: str) -> int:
    """The side of a detector's input in pixels, told from its name; builds nothing."""
    digits = "".join(sign if sign.isdigit() else " " for sign in name).split()
    return next((int(number) for number in digits if len(number) == 3), 800)


def _preprocessing(transform: Any) -> Preprocessing:
    """The detector's own transform: a fixed size is pressed into, a shorter side is kept."""
    fixed = transform.fixed_size
    width, height = fixed if fixed is not None else (transform.min_size[-1],) * 2
    return Preprocessing(
        height=int(height),
        width=int(width),
        resize=int(min(height, width)),
        interpolation="bilinear",
        mean=tuple(transform.image_mean),
        std=tuple(transform.image_std),
        fit="crop" if fixed is None else "squash",
    )
