"""Activations of a run's models: one forward for all layers, kept in the cache by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.feature_cache import FeatureCache
from analysis.audits.forwards import Forwards, Report
from analysis.audits.grouping import ImageEntry
from analysis.audits.project_models import load_project_model
from analysis.errors import AuditError
from analysis.images.frames import PatchGrid, extract_patches
from analysis.images.loading import load_frames
from analysis.models.heads import Head, find_head
from analysis.models.layers import Layer, find_layers
from analysis.models.loading import LoadedModel
from analysis.models.preprocessing import to_model_input, transform_image
from analysis.models.taps import LayerTaps

if TYPE_CHECKING:
    from analysis.audits.context import RunContext

# Images a forward, by device. A CPU gains nothing from more, and cancelling waits for one forward.
_CUT_IMAGES_PER_FORWARD = {"cpu": 1, "mps": 8, "cuda": 64}
_WHOLE_IMAGES_PER_FORWARD = {"cpu": 8, "mps": 32, "cuda": 256}


@dataclass(frozen=True)
class ImageFeatures:
    """Features of those whole images that could be read.

    `features`: (images, channels) float32; `positions`: (images,) places in the list asked for.
    """

    features: np.ndarray
    positions: np.ndarray
    problems: tuple[tuple[str, str], ...]


class FeatureSource:
    """The models of a run on their device, and the features they give."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._cache = FeatureCache()
        self._models: dict[str, LoadedModel] = {}
        self._layers: dict[str, tuple[Layer, ...]] = {}
        self._cut_images = _CUT_IMAGES_PER_FORWARD[context.device.type]
        self._whole_images = _WHOLE_IMAGES_PER_FORWARD[context.device.type]

    def model(self, name: str) -> LoadedModel:
        """A model of the project, loaded once.

        :raises AuditError: its weights are gone or are no longer those that were added.
        """
        if name not in self._models:
            self._context.progress.check_cancelled()  # loading takes seconds
            self._models[name] = load_project_model(
                self._context.project,
                name,
                self._context.device,
                self._context.parameters.precision,
            )
        return self._models[name]

    def layers(self, name: str) -> tuple[Layer, ...]:
        """The layers of a model."""
        if name not in self._layers:
            self._layers[name] = find_layers(self.model(name))
        return self._layers[name]

    def head(self, name: str) -> Head | None:
        """The classifier on top of the penultimate layer, or None for a model without one."""
        return find_head(self.model(name))

    def patch_features(
        self,
        name: str,
        images: Sequence[ImageEntry],
        frames: np.ndarray,
        grid: PatchGrid,
        layers: Sequence[str],
        report: Report,
    ) -> dict[str, torch.Tensor]:
        """Features of every patch of `frames` at every layer: (images × patches, features) each.

        All layers come from one forward. Whole chunks of images are read from or written to the
        cache, so that a forward always sees the same batch and gives the same digits.
        """
        parts = {"frame": self._frame(frames), "grid": [grid.size, grid.stride]}
        tables: dict[str, torch.Tensor] = {}
        device = self._context.device

        def inputs(chunk: slice) -> torch.Tensor:
            pixels = torch.from_numpy(np.ascontiguousarray(frames[chunk].transpose(0, 3, 1, 2)))
            return extract_patches(pixels.to(device), grid)

        def take(chunk: slice, found: dict[str, torch.Tensor]) -> None:
            for layer, features in found.items():
                rows = len(features) // (chunk.stop - chunk.start)
                if layer not in tables:
                    # One table from the start. Pieces kept after each forward would lie in the
                    # memory that it frees, so that the next one of a large network needs new.
                    size = (len(images) * rows, features.shape[1])
                    tables[layer] = torch.empty(size, device=device)
                tables[layer][chunk.start * rows : chunk.stop * rows] = features

        with LayerTaps(self.model(name), layers, "auto") as taps:
            forwards = self._forwards(name, taps, layers, parts)
            self._cut_images = forwards.run(images, self._cut_images, inputs, take, report)
        return {layer: tables[layer] for layer in layers}

    def maps(
        self,
        name: str,
        images: Sequence[ImageEntry],
        frames: np.ndarray,
        layers: Sequence[str],
        make_store: Callable[[tuple[int, ...]], np.ndarray],
        report: Report,
    ) -> dict[str, np.ndarray]:
        """Activation maps of whole frames at every layer: (images, units, rows, columns) float16.

        :param make_store: gives an array of a shape to fill, in memory or on disk.
        """
        model = self.model(name)
        stores: dict[str, np.ndarray] = {}

        def inputs(chunk: slice) -> torch.Tensor:
            pixels = np.ascontiguousarray(frames[chunk].transpose(0, 3, 1, 2))
            return torch.from_numpy(pixels).to(self._context.device)

        def take(chunk: slice, found: dict[str, torch.Tensor]) -> None:
            for layer, values in found.items():
                units, rows = channels[layer], len(values) // (chunk.stop - chunk.start)
                maps = values.reshape(chunk.stop - chunk.start, units, rows // units, -1)
                if layer not in stores:
                    stores[layer] = make_store((len(images), *maps.shape[1:]))
                stores[layer][chunk] = maps.numpy()

        channels = {layer.name: layer.channels for layer in self.layers(name)}
        with LayerTaps(model, layers, "map") as taps:
            forwards = self._forwards(name, taps, layers, {"frame": self._frame(frames)}, half=True)
            self._whole_images = forwards.run(images, self._whole_images, inputs, take, report)
        return stores

    def _forwards(
        self,
        name: str,
        taps: LayerTaps,
        layers: Sequence[str],
        parts: Mapping[str, Any],
        half: bool = False,
    ) -> Forwards:
        return Forwards(self.model(name), self._context, self._cache, taps, layers, parts, half)

    def _frame(self, frames: np.ndarray) -> list[int]:
        return [self._context.parameters.resize, frames.shape[1]]

    def image_features(
        self, name: str, images: Sequence[ImageEntry], layer: str, report: Report
    ) -> ImageFeatures:
        """Features of whole images at one layer, through the model's own transform."""
        found: list[np.ndarray] = []
        kept: list[int] = []
        problems: list[tuple[str, str]] = []
        done = 0
        with LayerTaps(self.model(name), [layer], "auto") as taps:
            forwards = self._forwards(name, taps, [layer], {"frame": "whole"})
            for start in range(0, len(images), self._whole_images):
                chunk = images[start : start + self._whole_images]
                matrices = forwards.cached(chunk)
                if matrices is not None:
                    found.append(matrices[layer].numpy())
                    kept.extend(range(start, start + len(chunk)))
                else:
                    pixels, places, missing = self._transformed(name, chunk)
                    problems += missing
                    if len(places):
                        fresh = forwards.fresh([chunk[place] for place in places], pixels)
                        found.append(fresh[layer].cpu().numpy())
                        kept.extend(start + place for place in places)
                done += len(chunk)
                report(done, len(images))
        if not found:
            raise AuditError(
                "None of the images can be read.",
                "Check that the image folder is still in its place.",
            )
        return ImageFeatures(np.concatenate(found), np.array(kept), tuple(problems))

    def predict(
        self, name: str, images: Sequence[ImageEntry], report: Report
    ) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """The class index each image is predicted to be, −1 where it cannot be read: (images,).

        Whole images, through the model's own transform.
        """
        model = self.model(name)
        predicted = np.full(len(images), -1, dtype=np.int64)
        problems: list[tuple[str, str]] = []
        for start in range(0, len(images), self._whole_images):
            chunk = images[start : start + self._whole_images]
            pixels, places, missing = self._transformed(name, chunk)
            problems += missing
            if places:
                inputs = to_model_input(pixels, model.preprocessing, self._context.device)
                classes = model.run(inputs).argmax(1).cpu().numpy()
                predicted[start + np.array(places)] = classes
            report(start + len(chunk), len(images))
        return predicted, tuple(problems)

    def _transformed(
        self, name: str, images: Sequence[ImageEntry]
    ) -> tuple[torch.Tensor, list[int], list[tuple[str, str]]]:
        """Pixels through the model's own transform, the places of those read, and the problems."""
        preprocessing = self.model(name).preprocessing
        paths: list[Path] = []
        places: list[int] = []
        problems: list[tuple[str, str]] = []
        for place, image in enumerate(images):
            path = self._context.project.resolve_image(image.id)
            if path is None:
                problems.append((image.path, "The file is no longer where it was."))
            else:
                paths.append(path)
                places.append(place)
        pixels, kept = [], []
        for loaded in load_frames(
            paths, lambda picture: transform_image(picture, preprocessing), self._context.progress
        ):
            place = places[loaded.index]
            if loaded.pixels is None:
                reason = loaded.problem or "The image cannot be read."
                problems.append((images[place].path, reason))
            else:
                pixels.append(loaded.pixels)
                kept.append(place)
        if not kept:
            return torch.empty(0, 3, 1, 1, dtype=torch.uint8), [], problems
        stacked = torch.from_numpy(np.stack(pixels).transpose(0, 3, 1, 2).copy())
        return stacked.to(self._context.device), kept, problems

    def close(self) -> None:
        self._cache.close()
        self._models.clear()
