"""Small models with weights that are not trivial, and images for them."""

from __future__ import annotations

import torch
from torch import nn

from analysis.models.loading import LoadedModel, LoadReport
from analysis.models.preprocessing import Preprocessing
from analysis.models.specification import parse_specification

SMALL_VIT = "timm:vit_tiny_patch16_224?pretrained=false&img_size=64&input=64&depth=4&num_classes=7"
SMALL_SWIN = "timm:swin_tiny_patch4_window7_224?pretrained=false&embed_dim=24"
SMALL_DEIT = (
    "timm:deit_tiny_distilled_patch16_224?pretrained=false&img_size=64&input=64&depth=3"
    "&num_classes=7"
)


def enliven(model: LoadedModel, seed: int = 0) -> LoadedModel:
    """Larger weights and biases: attention that is far from even, and heads that are not zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in model.module.modules():
            if isinstance(part, nn.Linear):
                part.weight.normal_(0, 0.06, generator=generator)
                if part.bias is not None:
                    part.bias.normal_(0, 0.1, generator=generator)
            elif isinstance(part, nn.MultiheadAttention):
                assert part.in_proj_weight is not None
                part.in_proj_weight.normal_(0, 0.06, generator=generator)
    model.cache.clear()
    return model


def as_loaded(module: nn.Module, side: int, num_classes: int) -> LoadedModel:
    """A network of our own making as a loaded model."""
    specification = parse_specification("timm:resnet18?pretrained=false")
    preprocessing = Preprocessing(height=side, width=side, resize=side)
    module.eval().requires_grad_(False)
    return LoadedModel(specification, module, preprocessing, "", LoadReport(), None, num_classes)


def images(model: LoadedModel, count: int = 3, seed: int = 5) -> torch.Tensor:
    """Random model inputs with some structure: (count, 3, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    size = (model.preprocessing.height, model.preprocessing.width)
    coarse = torch.randn(count, 3, 6, 6, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=size, mode="bicubic")
    return smooth + 0.2 * torch.randn(count, 3, *size, generator=generator)
