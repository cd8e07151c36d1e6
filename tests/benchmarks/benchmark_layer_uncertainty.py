"""What the doubt of CKA, RSA and Procrustes costs, and whether it holds where the truth is known.

    python tests/benchmarks/benchmark_layer_uncertainty.py [--draws 200]

First the time of each measure with and without its doubt (10 × 10 layers, 40 images of 16 patches).
Then samples from a made-up world: how often the 95 % interval holds the mean over all samples, how
often unrelated layers lie above their chance level (5 % would be right), and what the ordinary
bootstrap, which draws images twice, would have done instead.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.statistics.cka import cka_matrix
from analysis.statistics.cka_uncertainty import measured_cka
from analysis.statistics.class_means import few_draws_quantile, mean_interval
from analysis.statistics.image_jackknife import Measured
from analysis.statistics.procrustes_uncertainty import measured_procrustes
from analysis.statistics.representations import procrustes_matrix, rsa_matrix
from analysis.statistics.rsa_uncertainty import measured_rsa

MEASURES: dict[str, tuple[Callable[..., torch.Tensor], Callable[..., Measured], int]] = {
    "CKA": (cka_matrix, measured_cka, 100),
    "RSA": (rsa_matrix, measured_rsa, 100),
    "Procrustes": (procrustes_matrix, measured_procrustes, 12),
}
PATCHES = 4
_WIDTHS = (32, 144, 144, 240, 480, 672, 672, 1152, 1152, 1280)


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def show_costs() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = (
        [torch.randn(640, width, generator=random).relu() for width in _WIDTHS] for _ in range(2)
    )
    print("measure      alone   with interval and chance")
    for name, (matrix, measured, draws) in MEASURES.items():
        # As in a run of ten classes: Procrustes has two shuffles of each class.
        shuffles = 2 if name == "Procrustes" else draws
        alone = _seconds(partial(matrix, first, second))
        whole = _seconds(partial(measured, first, second, 40, shuffles, 1))
        print(f"{name:<11} {alone:5.2f} s  {whole:5.2f} s  ({whole / alone:.1f} times)")


class World:
    """Images of which both models see the same causes, through mixtures of their own."""

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(1)
        self.mix_a, self.mix_b = (torch.randn(6, width, generator=random) for width in (20, 40))
        self.places = 0.5 * torch.randn(PATCHES, 6, generator=random)

    def sample(
        self, images: int, random: torch.Generator, related: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        causes = self._causes(images, random)
        others = causes if related else self._causes(images, random)
        seen = []
        for cause, mix in ((causes, self.mix_a), (others, self.mix_b)):
            noise = 1.5 * torch.randn(images, PATCHES, mix.shape[1], generator=random)
            seen.append((cause @ mix + noise).relu().flatten(0, 1))
        return seen[0], seen[1]

    def _causes(self, images: int, random: torch.Generator) -> torch.Tensor:
        whole = torch.randn(images, 1, 6, generator=random)
        return whole + 0.7 * torch.randn(images, PATCHES, 6, generator=random) + self.places


def show_coverage(draws: int) -> None:
    print("\nimages measure     interval holds   above chance   bootstrap: too high by, holds")
    for images in (10, 20, 40):
        for name in MEASURES:
            print(f"{images:6} {name:<11} {_coverage(name, images, draws)}", flush=True)


def _coverage(name: str, images: int, draws: int) -> str:
    matrix, measured, shuffles = MEASURES[name]
    world, random = World(), torch.Generator().manual_seed(7)
    values, variances, above, lifted, ends = [], [], [], [], []
    for number in range(draws):
        x, y = world.sample(images, random)
        found = measured([x], [y], images)
        values.append(found.value.item())
        variances.append(found.variance.item())
        if number < draws // 4:
            again = _bootstrap(matrix, x, y, images, random)
            lifted.append(again.mean() - values[-1])
            ends.append(np.quantile(again, [0.025, 0.975]))
        x, y = world.sample(images, random, related=False)
        chance = measured([x], [y], images, shuffles, number)
        null = chance.permuted.numpy()
        level = few_draws_quantile(null[None]) if name == "Procrustes" else np.quantile(null, 0.95)
        above.append(chance.value.item() > float(np.squeeze(level)))
    truth = float(np.mean(values))
    low, high = (
        np.concatenate(each).ravel()
        for each in zip(
            *(
                mean_interval(np.array([[value]]), np.array([[variance]]), np.array([images]))
                for value, variance in zip(values, variances, strict=True)
            ),
            strict=True,
        )
    )
    holds = np.mean((low <= truth) & (truth <= high))
    own = np.mean([one <= truth <= other for one, other in ends])
    return (
        f"{holds:14.3f} {np.mean(above):14.3f} {np.mean(lifted) / np.std(values):20.1f} standard"
        f" errors, {own:.2f}"
    )


def _bootstrap(
    matrix: Callable[..., torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    images: int,
    random: torch.Generator,
) -> np.ndarray:
    found = []
    for _ in range(60):
        drawn = torch.randint(images, (images,), generator=random)
        rows = (drawn[:, None] * PATCHES + torch.arange(PATCHES)).flatten()
        found.append(matrix([x[rows]], [y[rows]]).item())
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    torch.set_num_threads(1)
    show_costs()
    show_coverage(parser.parse_args().draws)


if __name__ == "__main__":
    main()
