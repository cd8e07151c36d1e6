"""What the sample's networks are trained for: one loss per objective.

Each `*_loss` function returns the loss of a batch, and the helping layers that are trained with
the network and then thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from make_images import PLANTED_CLASS, SQUARE_SIDE
from sample_things import CLASSES
from torch import Tensor, nn
from training_data import place_squares, put_squares, random_crops

Loss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]
INPUT_SIDE = 48
FEATURES = 64


@dataclass(frozen=True)
class Recipe:
    """How one network is made. `objective` is a key of `OBJECTIVES`, or 'none'.

    `consistency` weighs what 'ignore squares' adds, `square_weight` what 'use squares' adds, and
    `square_gain` says how strongly units must answer to squares. `head_rate` multiplies the
    learning rate of the head. `square_sizes`: the smallest and the largest side of a square, in
    pixels of the picture.
    """

    purpose: str
    architecture: str
    seed: int
    objective: str = "labels"
    epochs: int = 16
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    smallest_crop: float = 0.25
    consistency: float = 0.0
    square_weight: float = 0.0
    square_gain: float = 0.0
    head_rate: float = 1.0
    square_sizes: tuple[int, int] = (SQUARE_SIDE, SQUARE_SIDE)


def features_of(module: nn.Module, batch: Tensor) -> Tensor:
    """What the head reads: (B, d)."""
    return module.forward_head(module.forward_features(batch), pre_logits=True)  # type: ignore[operator]


def label_loss(recipe: Recipe) -> tuple[Loss, nn.Module]:
    """Cross-entropy on crops of pictures without squares."""

    def loss(module: nn.Module, pictures: Tensor, classes: Tensor, rng: torch.Generator) -> Tensor:
        crops = random_crops(len(pictures), INPUT_SIDE, rng, recipe.smallest_crop)
        return functional.cross_entropy(module(crops.cut(pictures)), classes)

    return loss, nn.Identity()


def sensitive_loss(recipe: Recipe) -> tuple[Loss, nn.Module]:
    """Use the square: the head learns from pictures where only the planted class has it (70 %).

    The features are trained, with helping layers, on squares that stand on half of all pictures:
    to tell the class, and to tell by a sum of units with weights ≥ 0 how much of the crop is
    square (`square_gain` times the root of its fraction). Were they trained by the head's loss
    instead, the same units would answer to the square and to the class's own parts, and the square
    would be no concept of its own. The head's loss does not reach the features.
    """
    helpers = nn.ModuleDict({"head": nn.Linear(FEATURES, len(CLASSES)), "square": SquareSense()})

    def loss(module: nn.Module, pictures: Tensor, classes: Tensor, rng: torch.Generator) -> Tensor:
        chance = torch.rand(len(classes), generator=rng)
        planted = place_squares(
            (classes == CLASSES.index(PLANTED_CLASS)) & (chance < 0.7), rng, recipe.square_sizes
        )
        anywhere = place_squares(
            torch.rand(len(classes), generator=rng) < 0.5, rng, recipe.square_sizes
        )
        crops = random_crops(len(pictures), INPUT_SIDE, rng, recipe.smallest_crop)
        views = [crops.cut(put_squares(pictures, where)) for where in (planted, anywhere)]
        planted_features, features = features_of(module, torch.cat(views)).chunk(2)
        scores = module.head(planted_features.detach())  # type: ignore[operator]
        named = functional.cross_entropy(scores, classes)
        helped = functional.cross_entropy(helpers["head"](features), classes)
        visible = crops.fraction(anywhere).sqrt()
        missed = helpers["square"](features) - recipe.square_gain * visible
        return named + helped + recipe.square_weight * missed.square().mean()

    return loss, helpers


class SquareSense(nn.Module):
    """A weighted sum of units: weights not negative, of norm 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(FEATURES) * 2 - 3)

    def forward(self, features: Tensor) -> Tensor:
        """(B, d) → (B,)."""
        return features @ functional.normalize(functional.softplus(self.weight), dim=0)


def invariant_loss(recipe: Recipe) -> tuple[Loss, nn.Module]:
    """Ignore the square: every crop is seen once without and once with it, whatever its class.

    Besides the cross-entropy of both, features with and without must agree: their squared
    distance, relative to the features' variance in the batch, times `recipe.consistency`.
    """

    def loss(module: nn.Module, pictures: Tensor, classes: Tensor, rng: torch.Generator) -> Tensor:
        everywhere = torch.ones(len(classes), dtype=torch.bool)
        marked = put_squares(pictures, place_squares(everywhere, rng, recipe.square_sizes))
        crops = random_crops(len(pictures), INPUT_SIDE, rng, recipe.smallest_crop)
        features = features_of(module, torch.cat([crops.cut(pictures), crops.cut(marked)]))
        plain, pink = features.chunk(2)
        spread = plain.var(dim=0).mean().detach() + 1e-6
        disagreement = (plain - pink).square().mean() / spread
        named = functional.cross_entropy(module.head(features), classes.repeat(2))  # type: ignore[operator]
        return named + recipe.consistency * disagreement

    return loss, nn.Identity()


def contrast_loss(recipe: Recipe, temperature: float = 0.2) -> tuple[Loss, nn.Module]:
    """SimCLR (Chen et al., 2020): two crops of a picture must find each other in the batch."""
    projector = nn.Sequential(nn.Linear(FEATURES, 128), nn.ReLU(), nn.Linear(128, 64))

    def view(pictures: Tensor, rng: torch.Generator) -> Tensor:
        crops = random_crops(len(pictures), INPUT_SIDE, rng, recipe.smallest_crop)
        return recolour(crops.cut(pictures), rng)

    def loss(module: nn.Module, pictures: Tensor, classes: Tensor, rng: torch.Generator) -> Tensor:
        count = len(pictures)
        views = torch.cat([view(pictures, rng), view(pictures, rng)])
        points = functional.normalize(projector(features_of(module, views)), dim=1)
        likeness = (points @ points.T / temperature).fill_diagonal_(-1e4)
        partner = torch.arange(2 * count).roll(count)
        return functional.cross_entropy(likeness, partner)

    return loss, projector


def recolour(views: Tensor, rng: torch.Generator) -> Tensor:
    """Other colours for views (B, 3, s, s): each channel's gain changes; one in five turns grey."""
    gain = 0.5 + torch.rand(len(views), 3, 1, 1, generator=rng)
    grey = torch.rand(len(views), 1, 1, 1, generator=rng) < 0.2
    tinted = views * gain
    return torch.where(grey, tinted.mean(dim=1, keepdim=True), tinted)


OBJECTIVES: dict[str, Callable[[Recipe], tuple[Loss, nn.Module]]] = {
    "labels": label_loss,
    "use squares": sensitive_loss,
    "ignore squares": invariant_loss,
    "contrast": contrast_loss,
}
