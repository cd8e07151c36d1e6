"""Activations of a run's models: one forward for all layers, kept in the cache by content."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.audits.feature_cache import FeatureCache, feature_key
from analysis.audits.grouping import ImageEntry
from analysis.errors import AuditError
from analysis.images.frames import PatchGrid, extract_patches
from analysis.models.heads import Head, find_head
from analysis.models.layers import Layer, find_layers
from analysis.models.loading import LoadedModel, load_model
from analysis.models.optimize import InferenceOptions
from analysis.models.preprocessing import Preprocessing, to_model_input, transform_image
from analysis.models.specification import parse_specification
from analysis.models.taps import LayerTaps

if TYPE_CHECKING:
    from analysis.audits.context import RunContext

# Images a forward, by device. A CPU gains nothing from more, and cancelling waits for one forward.
_IMAGES_PER_FORWARD = {"cpu": 1, "mps": 8, "cuda": 64}


class FeatureSource:
    """The two models of a run on their device, and the features they give."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._cache = FeatureCache()
        self._models: dict[str, LoadedModel] = {}
        self._layers: dict[str, tuple[Layer, ...]] = {}
        self._images_per_forward = _IMAGES_PER_FORWARD[context.device.type]

    def model(self, side: str) -> LoadedModel:
        """The model of a side, loaded once.

        :raises AuditError: its weights are gone or are no longer those that were added.
        """
        name = self._context.run.model(side)
        if name not in self._models:
            self._context.progress.check_cancelled()  # loading takes seconds
            row = self._context.project.row(
                "SELECT specification, preprocessing, weights_sha256 FROM model WHERE name = ?",
                (name,),
            )
            if row is None:
                raise AuditError(f"The project has no model “{name}”.", "Add it first.")
            model = load_model(
                parse_specification(row["specification"]),
                self._context.device,
                InferenceOptions(precision=self._context.parameters.precision),
            )
            if row["weights_sha256"] and model.weights_sha256 != row["weights_sha256"]:
                raise AuditError(
                    f"The weights of “{name}” are not those that were added to the project.",
                    "Put the former file back, or add the new one as another model.",
                )
            preprocessing = Preprocessing.from_json(row["preprocessing"])
            self._models[name] = dataclasses.replace(model, preprocessing=preprocessing, cache={})
        return self._models[name]

    def layers(self, side: str) -> tuple[Layer, ...]:
        """The layers of a side's model."""
        name = self._context.run.model(side)
        if name not in self._layers:
            self._layers[name] = find_layers(self.model(side))
        return self._layers[name]

    def head(self, side: str) -> Head | None:
        """The classifier on top of the penultimate layer, or None for a model without one."""
        return find_head(self.model(side))

    def patch_features(
        self,
        side: str,
        images: Sequence[ImageEntry],
        frames: np.ndarray,
        grid: PatchGrid,
        layers: Sequence[str],
        report: Callable[[int, int], None],
    ) -> dict[str, torch.Tensor]:
        """Features of every patch of `frames` at every layer: (images × patches, features) each.

        All layers come from one forward. Whole chunks of images are read from or written to the
        cache, so that a forward always sees the same batch and gives the same digits.
        """
        model = self.model(side)
        chunks: dict[str, list[torch.Tensor]] = {layer: [] for layer in layers}
        step = self._images_per_forward
        with LayerTaps(model, layers, "auto") as taps:
            start = 0
            while start < len(images):
                chunk = slice(start, start + step)
                try:
                    features = self._chunk(side, taps, images[chunk], frames[chunk], grid, layers)
                except torch.cuda.OutOfMemoryError:
                    step = self._halve(step)
                    continue
                for layer in layers:
                    chunks[layer].append(features[layer])
                start += step
                report(min(start, len(images)), len(images))
        return {layer: torch.cat(parts) for layer, parts in chunks.items()}

    def _halve(self, step: int) -> int:
        if step == 1:
            raise AuditError(
                "The graphics card has too little memory for one image.",
                "Run on the CPU, or choose fewer layers.",
            )
        torch.cuda.empty_cache()
        self._images_per_forward = max(1, step // 2)
        return self._images_per_forward

    def _chunk(
        self,
        side: str,
        taps: LayerTaps,
        images: Sequence[ImageEntry],
        frames: np.ndarray,
        grid: PatchGrid,
        layers: Sequence[str],
    ) -> dict[str, torch.Tensor]:
        keys = {layer: self._keys(side, images, frames, grid, layer) for layer in layers}
        found = {layer: self._cache.read(keys[layer]) for layer in layers}
        if all(matrices is not None for matrices in found.values()):
            return {
                layer: torch.from_numpy(np.concatenate(matrices or [])).to(self._context.device)
                for layer, matrices in found.items()
            }
        model = self.model(side)
        pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
        patches = extract_patches(pixels.to(self._context.device), grid)
        batch = to_model_input(patches, model.preprocessing, self._context.device)
        with torch.inference_mode():
            features = taps.forward(batch).features
        fresh = {layer: features[layer].float() for layer in layers}
        per_image = len(patches) // len(images)
        for layer, matrix in fresh.items():
            rows = matrix.cpu().numpy().reshape(len(images), per_image, -1)
            self._cache.write(dict(zip(keys[layer], rows, strict=True)))
        return fresh

    def _keys(
        self,
        side: str,
        images: Sequence[ImageEntry],
        frames: np.ndarray,
        grid: PatchGrid,
        layer: str,
    ) -> list[bytes]:
        model = self.model(side)
        parameters = self._context.parameters
        common = {
            "weights": model.weights_sha256,
            "architecture": model.specification.text,
            "preprocessing": model.preprocessing.to_json(),
            "frame": [parameters.resize, frames.shape[1]],
            "grid": [grid.size, grid.stride],
            "layer": layer,
            "reduction": "auto",
            "precision": parameters.precision,
            "device": self._context.device.type,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "batch": [image.sha256 for image in images],
        }
        return [feature_key(image=image.sha256, **common) for image in images]

    def predict(
        self, side: str, images: Sequence[ImageEntry], report: Callable[[int, int], None]
    ) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """The class index each image is predicted to be, −1 where it cannot be read: (images,).

        Whole images, through the model's own transform.
        """
        from analysis.images.loading import load_frames

        model = self.model(side)
        project = self._context.project
        paths, positions, problems = [], [], []
        for position, image in enumerate(images):
            path = project.resolve_image(image.id)
            if path is None:
                problems.append((image.path, "The file is no longer where it was."))
            else:
                paths.append(path)
                positions.append(position)
        predicted = np.full(len(images), -1, dtype=np.int64)
        step = 16 * self._images_per_forward
        batch: list[np.ndarray] = []
        batch_positions: list[int] = []

        def flush() -> None:
            if not batch:
                return
            pixels = torch.from_numpy(np.stack(batch).transpose(0, 3, 1, 2).copy())
            inputs = to_model_input(
                pixels.to(self._context.device), model.preprocessing, self._context.device
            )
            predicted[batch_positions] = model.run(inputs).argmax(1).cpu().numpy()
            batch.clear()
            batch_positions.clear()

        for loaded in load_frames(
            paths,
            lambda picture: transform_image(picture, model.preprocessing),
            self._context.progress,
        ):
            report(loaded.index + 1, len(paths))
            if loaded.pixels is None:
                name = images[positions[loaded.index]].path
                problems.append((name, loaded.problem or "The image cannot be read."))
                continue
            batch.append(loaded.pixels)
            batch_positions.append(positions[loaded.index])
            if len(batch) == step:
                flush()
        flush()
        return predicted, tuple(problems)

    def close(self) -> None:
        self._cache.close()
        self._models.clear()
