"""What a unit of work may use: the project, the images, the models and their activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.audits.grouping import ImageEntry
from analysis.devices import choose_device
from analysis.errors import AuditError
from analysis.progress import Progress

if TYPE_CHECKING:
    import torch

    from analysis.audits.features import FeatureSource
    from analysis.project import Project

SIDES = ("a", "b")


@dataclass(frozen=True)
class RunRecord:
    """A row of the run table."""

    id: int
    audit: str
    image_set: int | None
    models: tuple[str, ...]
    seed: int
    device: str

    @property
    def model_a(self) -> str:
        """The first model; an audit of a pair compares it with `model_b`."""
        return self.models[0]

    @property
    def model_b(self) -> str:
        return self.models[1]

    def model(self, side: str) -> str:
        """The model of a side, “a” or “b”, of an audit of a pair."""
        return self.models[SIDES.index(side)]


@dataclass(frozen=True)
class LoadedImages:
    """The frames of those images that could be read, in the order asked for.

    `frames`: (images, side, side, 3) uint8.
    """

    images: tuple[ImageEntry, ...]
    frames: np.ndarray
    problems: tuple[tuple[str, str], ...]


class RunContext:
    """One run being carried out: opened once, shared by its units, closed at the end."""

    def __init__(
        self, project: Project, run: RunRecord, parameters: Any, progress: Progress
    ) -> None:
        self.project = project
        self.run = run
        self.parameters = parameters
        self.progress = progress
        self._done = 0.0
        self._total = 1.0
        self.kept: dict[str, Any] = {}
        self._at_close: list[Callable[[], None]] = []

    @cached_property
    def device(self) -> torch.device:
        return choose_device(self.run.device)

    @cached_property
    def features(self) -> FeatureSource:
        from analysis.audits.features import FeatureSource

        return FeatureSource(self)

    def keep(
        self, name: str, make: Callable[[], Any], close: Callable[[Any], None] | None = None
    ) -> Any:
        """What `make` gives, made once for this run and let go with `close` at its end."""
        if name not in self.kept:
            made = self.kept[name] = make()
            if close is not None:
                self._at_close.append(partial(close, made))
        return self.kept[name]

    def set_units(self, done: int, total: int) -> None:
        """Where the run stands; `step` counts on from here."""
        self._done, self._total = float(done), float(max(total, 1))

    def step(self, fraction: float, text: str) -> None:
        """Say how far the present unit is (0…1); raises `Cancelled` if asked to stop."""
        self.progress.report(min(self._done + fraction, self._total), self._total, text)

    def stepper(self, low: float, high: float, text: str) -> Callable[[int, int], None]:
        """A callback (done, of) that moves the present unit from `low` to `high`."""

        def report(done: int, of: int) -> None:
            self.step(low + (high - low) * done / max(of, 1), text)

        return report

    def part(self, low: float, high: float, before: str = "") -> Progress:
        """A progress for an engine: its whole is the present unit from `low` to `high`.

        :param before: stands before what the engine says it does.
        """

        def report(done: float, total: float, text: str, _left: float | None) -> None:
            self.step(low + (high - low) * done / max(total, 1), before + text.lower())

        return Progress(report)

    def load_images(
        self,
        images: Sequence[ImageEntry],
        resize: int,
        side: int,
        report: Callable[[int, int], None],
    ) -> LoadedImages:
        """Decode images once into the common frame; previews are kept in the project as we go.

        Images that have gone or are damaged are left out and reported.
        """
        from analysis.images.decoding import thumbnail
        from analysis.images.frames import Frame
        from analysis.images.loading import load_frames

        frame = Frame(resize, side)
        lacking = set(self.project.images_without_thumbnail([image.id for image in images]))
        paths, known, problems = [], [], []
        for image in images:
            path = self.project.resolve_image(image.id)
            if path is None:
                problems.append((image.path, "The file is no longer where it was."))
            else:
                paths.append(path)
                known.append(image)

        def transform(picture: Any) -> tuple[np.ndarray, Any]:
            # Decoding is shared: the preview is made of the same picture as the frame.
            return frame.apply(picture), thumbnail(picture) if lacking else None

        kept, frames, previews = [], [], []
        for loaded in load_frames(paths, transform, self.progress):
            image = known[loaded.index]
            report(loaded.index + 1, len(paths))
            if loaded.pixels is None:
                problems.append((image.path, loaded.problem or "The image cannot be read."))
                continue
            pixels, preview = loaded.pixels
            kept.append(image)
            frames.append(pixels)
            if preview is not None and image.id in lacking:
                data, width, height = preview
                previews.append((image.id, width, height, data))
        if previews and not self.project.read_only:
            self.project.add_thumbnails(previews)
        if not kept:
            raise AuditError(
                "None of the images of a class can be read.",
                "Check that the image folder is still in its place.",
            )
        return LoadedImages(tuple(kept), np.stack(frames), tuple(problems))

    def close(self) -> None:
        """Let go of the models, the cache and whatever else was kept."""
        for close in self._at_close:
            close()
        self.kept.clear()
        if "features" in self.__dict__:
            self.features.close()
