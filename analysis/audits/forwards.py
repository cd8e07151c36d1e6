"""Forwards of a run's models, chunk by chunk, kept in the cache by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.feature_cache import FeatureCache, feature_key
from analysis.audits.grouping import ImageEntry
from analysis.errors import AuditError
from analysis.models.loading import LoadedModel
from analysis.models.preprocessing import to_model_input
from analysis.models.taps import LayerTaps

if TYPE_CHECKING:
    from analysis.audits.context import RunContext

Report = Callable[[int, int], None]
_LARGEST_HALF = float(np.finfo(np.float16).max)


class Forwards:
    """Forwards of one model through its taps, chunk by chunk, kept in the cache by content."""

    def __init__(
        self,
        model: LoadedModel,
        context: RunContext,
        cache: FeatureCache,
        taps: LayerTaps,
        layers: Sequence[str],
        parts: Mapping[str, Any],
        half: bool = False,
    ) -> None:
        """:param parts: what else than model and layer decides the features, for the cache's key.
        :param half: the taps give maps, which are kept in half precision; else vectors.
        """
        self._model = model
        self._context = context
        self._cache = cache
        self._taps = taps
        self._layers = tuple(layers)
        self._half = half
        self._common = {
            **parts,
            "weights": self._model.weights_sha256,
            "architecture": self._model.specification.text,
            "preprocessing": self._model.preprocessing.to_json(),
            "reduction": "map" if half else "auto",
            "precision": self._context.parameters.precision,
            "device": self._context.device.type,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }

    def run(
        self,
        images: Sequence[ImageEntry],
        step: int,
        inputs: Callable[[slice], torch.Tensor],
        take: Callable[[slice, dict[str, torch.Tensor]], None],
        report: Report,
    ) -> int:
        """Hand the features of all images to `take`, a chunk at a time; returns the chunk's size,
        which is halved while a graphics card has too little memory."""
        start = 0
        while start < len(images):
            chunk = slice(start, min(start + step, len(images)))
            found = self.cached(images[chunk])
            if found is None:
                try:
                    found = self.fresh(images[chunk], inputs(chunk))
                except torch.cuda.OutOfMemoryError:
                    step = _halve(step)
                    continue
            take(chunk, found)
            start = chunk.stop
            report(start, len(images))
        return step

    def cached(self, images: Sequence[ImageEntry]) -> dict[str, torch.Tensor] | None:
        """What the cache holds of a chunk: every layer of every image, or None."""
        found = {}
        for layer in self._layers:
            matrices = self._cache.read(self._keys(images, layer))
            if matrices is None:
                return None
            found[layer] = torch.from_numpy(np.concatenate(matrices))
        return found

    def fresh(self, images: Sequence[ImageEntry], pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """One forward of the pixels (uint8) of a chunk; rows of an image follow each other."""
        batch = to_model_input(pixels, self._model.preprocessing, self._context.device)
        with torch.inference_mode():
            features = self._taps.forward(batch).features
        found = {layer: self._matrix(features[layer]) for layer in self._layers}
        for layer, matrix in found.items():
            rows = matrix.cpu().numpy().reshape(len(images), len(matrix) // len(images), -1)
            self._cache.write(dict(zip(self._keys(images, layer), rows, strict=True)))
        return found

    def _matrix(self, features: torch.Tensor) -> torch.Tensor:
        if not self._half:
            return features.float()
        # Beyond the range of half precision a value would become infinite, which means damage.
        finite = features.clamp(-_LARGEST_HALF, _LARGEST_HALF)
        return finite.half().cpu().flatten(0, 2)

    def _keys(self, images: Sequence[ImageEntry], layer: str) -> list[bytes]:
        batch = [image.sha256 for image in images]
        return [
            feature_key(image=image.sha256, layer=layer, batch=batch, **self._common)
            for image in images
        ]


def _halve(step: int) -> int:
    if step == 1:
        raise AuditError(
            "The graphics card has too little memory for one image.",
            "Run on the CPU, or choose fewer layers.",
        )
    torch.cuda.empty_cache()
    return step // 2
