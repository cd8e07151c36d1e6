"""The sample's own small networks: their architectures, and loading their shipped weights.

The networks are trained by `resources/sample/train_models.py`; `resources/sample/models.json`
lists them with their architecture, classes, preprocessing, training and the hash of their weights
(float16 safetensors, computed with as float32).
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from analysis.errors import AuditError
from analysis.near_names import name_hint
from analysis.resources import resource_path

INPUT_SIDE = 48
PREPROCESSING: dict[str, Any] = {
    "height": INPUT_SIDE,
    "width": INPUT_SIDE,
    "resize": INPUT_SIDE,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.25, 0.25, 0.25),
}


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., 2016), each with batch normalisation."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.act2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) → (B, channels, H / stride, W / stride), not negative."""
        inner = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(inner + self.shortcut(x))


class SmallResidualNetwork(nn.Module):
    """A residual network for 48-px images: stem, four blocks, average pooling, linear head.

    `num_classes` 0 leaves the head out: the output is then the pooled features.
    """

    def __init__(
        self,
        num_classes: int,
        width: int = 12,
        channels: tuple[int, ...] = (16, 32, 48, 64),
        strides: tuple[int, ...] = (2, 2, 2, 1),
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.num_features = channels[-1]
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        inputs = (width, *channels[:-1])
        self.blocks = nn.Sequential(
            *(ResidualBlock(*sizes) for sizes in zip(inputs, channels, strides, strict=True))
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head: nn.Module = (
            nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()
        )

    def get_classifier(self) -> nn.Module:
        """The last linear layer (an identity where there are no classes)."""
        return self.head

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) → maps (B, num_features, H / 8, W / 8)."""
        return self.blocks(self.stem(x))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Maps → pooled features (`pre_logits`) or class scores."""
        pooled = self.flatten(self.pool(x))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, num_classes), or (B, num_features) without a head."""
        return self.forward_head(self.forward_features(x))


def _small_transformer(num_classes: int) -> nn.Module:
    """A vision transformer with a class token (Dosovitskiy et al., 2021), by timm."""
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=INPUT_SIDE,
        patch_size=8,
        embed_dim=64,
        depth=4,
        num_heads=4,
        mlp_ratio=2.0,
        num_classes=num_classes,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )


ARCHITECTURES = {
    "small residual network": SmallResidualNetwork,
    "small vision transformer": _small_transformer,
}


def build_architecture(architecture: str, num_classes: int) -> nn.Module:
    """One of `ARCHITECTURES`, freshly initialised from torch's global generator."""
    return ARCHITECTURES[architecture](num_classes)


def _listing() -> dict[str, Any]:
    try:
        return json.loads(resource_path("sample", "models.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise AuditError(
            "The sample's list of networks is missing or unreadable.", "Install Parallax again."
        ) from problem


def sample_names() -> tuple[str, ...]:
    """The names of the sample's networks, in the order of the list."""
    return tuple(_listing()["models"])


def sample_description(name: str) -> dict[str, Any]:
    """What `models.json` says of a network: training, accuracy, hash. Raises AuditError."""
    models = _listing()["models"]
    if name not in models:
        raise AuditError(
            f"There is no sample network named “{name}”.",
            name_hint(name, models, f"There are: {', '.join(models)}."),
        )
    return models[name]


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise AuditError(
            f"The sample's weights {path.name} are missing.", "Install Parallax again."
        ) from problem
    if hashlib.sha256(content).hexdigest() != sha256:
        raise AuditError(
            f"The sample's weights {path.name} are not the ones that were shipped.",
            "Install Parallax again.",
        )
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load_safetensors(content).items()
    }


def build_sample_network(name: str) -> tuple[nn.Module, dict[str, Any], tuple[str, ...]]:
    """A sample network with its weights, in evaluation mode and float32.

    Returns the module, the keyword arguments of its preprocessing (height, width, resize, mean,
    std; RGB scaled to [0, 1] before mean and std), and its class names (empty where it has no
    head). Raises AuditError where the name is unknown or the weights are missing or changed.
    """
    description = sample_description(name)
    class_names = tuple(description["class_names"])
    module = build_architecture(description["architecture"], len(class_names))
    weights = resource_path("sample", "models", description["file"])
    module.load_state_dict(_read_weights(weights, description["sha256"]), strict=True)
    return module.eval(), dict(PREPROCESSING), class_names
