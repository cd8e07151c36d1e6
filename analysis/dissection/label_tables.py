"""Running counts of the labels of one image, from which any region is counted by its edges."""

from __future__ import annotations

import numpy as np
import torch

from analysis.errors import AuditError

_KEPT_BYTES = 1 << 28  # tables kept for the images that come again with every shuffle


class LabelTables:
    """For each image the labels it has and, per pixel, how often each occurred before it.

    With pixels numbered row by row, the number of pixels of a label in a run from `start` to
    `stop` is `counts[stop] - counts[start]`. As many tables are kept as fit into 256 MB.

    :param planes: (images, planes, R, R) integer codes, 0 none, k the concept k - 1; a pixel with
        one code in several planes counts once.
    :raises AuditError: the planes are not square, or hold a code without a concept.
    """

    def __init__(self, planes: np.ndarray, concepts: int, device: torch.device) -> None:
        if planes.ndim != 4 or planes.shape[2] != planes.shape[3] or planes.dtype.kind not in "iu":
            raise AuditError(
                f"The label planes have the shape {planes.shape} and the type {planes.dtype} where"
                " whole numbers in (images, planes, side, side) were expected.",
                "Read the label planes again for these images.",
            )
        self.concepts = concepts
        self.resolution = planes.shape[2]
        self._planes = planes
        self.device = device
        self._kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._planes)

    def table(self, image: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The concepts that the image shows, int64 (n,), and their counts, float32 (R² + 1, n)."""
        kept = self._kept.get(image)
        if kept is not None:
            return kept
        made = self._make(image)
        size = made[1].numel() * 4
        if self._bytes + size <= _KEPT_BYTES:
            self._kept[image] = made
            self._bytes += size
        return made

    def truth(self) -> np.ndarray:
        """int64 (concepts,): labelled pixels of each concept over all images."""
        total = np.zeros(self.concepts, dtype=np.int64)
        for image in range(len(self)):
            shown, counts = self.table(image)
            total[shown.cpu().numpy()] += counts[-1].cpu().numpy().astype(np.int64)
        return total

    def _make(self, image: int) -> tuple[torch.Tensor, torch.Tensor]:
        codes = self._planes[image].reshape(self._planes.shape[1], -1).astype(np.int64)
        self._check(codes)
        present = np.zeros(self.concepts + 1, dtype=bool)
        present[codes] = True
        present[0] = True
        shown = np.flatnonzero(present)
        place = np.zeros(self.concepts + 1, dtype=np.int64)
        place[shown] = np.arange(len(shown))
        marks = np.zeros((codes.shape[1] + 1, len(shown)), dtype=np.float32)
        below = np.arange(1, codes.shape[1] + 1)
        for plane in codes:
            marks[below, place[plane]] = 1
        counts = torch.from_numpy(marks[:, 1:]).cumsum(0)
        return torch.from_numpy(shown[1:] - 1).to(self.device), counts.to(self.device)

    def _check(self, codes: np.ndarray) -> None:
        if codes.size and (codes.min() < 0 or codes.max() > self.concepts):
            wrong = codes.max() if codes.max() > self.concepts else codes.min()
            raise AuditError(
                f"A label plane holds the code {wrong}, but only {self.concepts} concepts have a"
                " name.",
                "Check the list of names that belongs to these label planes.",
            )
