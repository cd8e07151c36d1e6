"""Measure all maps of a batch of images together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.errors import AuditError
from analysis.faithfulness.concentration import complexity, localisation, sparseness
from analysis.faithfulness.curves import curve
from analysis.faithfulness.masking import average_drop, average_increase, masked_scores
from analysis.faithfulness.metrics import METRICS, MeasureSettings, image_cost
from analysis.faithfulness.pixels import Pixels
from analysis.faithfulness.randomisation import randomised_models, rank_correlation
from analysis.faithfulness.ranking import Ranking, checked_maps, finite_maps, rank_pixels
from analysis.faithfulness.road import Order, road_scores
from analysis.faithfulness.scoring import MeasuredImages
from analysis.faithfulness.sensitivity import max_sensitivity
from analysis.faithfulness.steps import KINDS, area_under_curve
from analysis.saliency.maps import Maps
from analysis.saliency.null_maps import image_keys as content_keys

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

Explain = Callable[[torch.Tensor, "LoadedModel | None"], Mapping[str, torch.Tensor]]
"""Maps (n, rows, columns) by method of a batch, by the model itself (None) or by another one."""

_ROAD_KEYS: dict[str, Order] = {"road-morf": "morf", "road-lerf": "lerf"}


@dataclass(frozen=True)
class Measurements:
    """What was measured of n images.

    `values`: by (method, metric) (n,) float64, NaN where a metric has no value. `curves`: by
    (method, kind) (n, steps + 1) float32, the probability at each step. `tied`: by method (n,) the
    share of pixels whose place in the order is the raster's alone. `classes`: (n,) the class of the
    curves and ROAD, `masked_classes` that of average drop and increase (−1 without one), and the
    images' probabilities of it. `stages`: by method (n, stages) rank correlation as more and more
    layers are randomised. `notes`: what a reader must know, in plain words.
    """

    values: dict[tuple[str, str], np.ndarray]
    curves: dict[tuple[str, str], np.ndarray]
    tied: dict[str, np.ndarray]
    classes: np.ndarray | None = None
    masked_classes: np.ndarray | None = None
    probability: np.ndarray | None = None
    stages: dict[str, np.ndarray] = field(default_factory=dict)
    forwards: int = 0
    notes: tuple[str, ...] = ()


def measure(
    model: LoadedModel,
    batch: torch.Tensor,
    maps: Mapping[str, Maps | torch.Tensor],
    metrics: Sequence[str],
    settings: MeasureSettings | None = None,
    *,
    classes: torch.Tensor | Sequence[int] | None = None,
    labels: torch.Tensor | Sequence[int] | None = None,
    masks: torch.Tensor | np.ndarray | None = None,
    explain: Explain | None = None,
    image_keys: Sequence[str] | None = None,
    chunk: int | None = None,
    check: Callable[[int, int], None] | None = None,
) -> Measurements:
    """All metrics of all methods for a batch of images; scores are shared between them.

    :param batch: model inputs (n, 3, height, width), as `to_model_input` gives them.
    :param maps: by method, as `explain` of analysis.saliency gives them, or (n, rows, columns).
    :param metrics: keys of `METRICS`, as `parse_metrics` gives them.
    :param settings: as `preset_settings` gives them; None for “correct”.
    :param classes: (n,) the classes the maps explain; None for those the maps carry, else the
        predicted ones.
    :param labels: (n,) each image's own class, −1 where the model has none for it.
    :param masks: (n, height, width) bool: where the object is, over the same square as the maps.
    :param explain: makes maps anew, for max-sensitivity and randomised weights: called with
        (changed batch, None) or (batch, randomised model); it explains the same classes. Methods
        that it leaves out have no value.
    :param image_keys: (n,) what the noise of each image is derived from; None for its content.
    :param chunk: images a forward; None for what suits the device. No value depends on it.
    :param check: called with (done, total) forwards; may raise to stop.
    :raises AuditError: a metric lacks what it needs, or the shapes do not fit.
    """
    settings = settings or MeasureSettings()
    work = _Measuring(model, batch, maps, metrics, settings, classes, labels, chunk, check)
    work.run_scores(image_keys)
    work.run_maps(masks)
    if explain is not None:
        work.run_explanations(explain, image_keys)
    elif work.explaining:
        raise AuditError(
            f"“{METRICS[work.explaining[0]].title}” needs the maps to be made anew.",
            "Leave the metric out.",
        )
    return work.result()


class _Measuring:
    """One batch of images."""

    def __init__(
        self,
        model: LoadedModel,
        batch: torch.Tensor,
        maps: Mapping[str, Maps | torch.Tensor],
        metrics: Sequence[str],
        settings: MeasureSettings,
        classes: torch.Tensor | Sequence[int] | None,
        labels: torch.Tensor | Sequence[int] | None,
        chunk: int | None,
        check: Callable[[int, int], None] | None,
    ) -> None:
        for key in metrics:
            if key not in METRICS:
                raise AuditError(f"Unknown metric “{key}”.", f"There are: {', '.join(METRICS)}.")
        self.model, self.metrics, self.settings = model, tuple(metrics), settings
        self.batch = batch.detach().to(model.device)
        self._done, self._check = 0, check
        self._total = len(batch) * image_cost(metrics, len(maps), settings).forwards
        self.images = MeasuredImages(
            lambda inputs: model.run(inputs).flatten(1).softmax(1),
            self.batch, Pixels.of(model.preprocessing), chunk, self._count if check else None,
        )  # fmt: skip
        self.labels = list(maps)
        self.maps, self.finite = self._taken(maps)
        carried = next(
            (one.classes for one in maps.values() if isinstance(one, Maps)
             and one.classes is not None), None,
        )  # fmt: skip
        self._explained = self._class_numbers(carried if classes is None else classes)
        self._own = self._class_numbers(labels)
        self._values: dict[tuple[str, str], np.ndarray] = {}
        self._curves: dict[tuple[str, str], np.ndarray] = {}
        self._tied: dict[str, np.ndarray] = {}
        self._stages: dict[str, np.ndarray] = {}
        self._classes: torch.Tensor | None = None
        self._masked_classes: torch.Tensor | None = None
        self._notes: list[str] = []

    @property
    def explaining(self) -> list[str]:
        """Metrics asked for that need maps made anew."""
        return [key for key in self.metrics if "explain" in METRICS[key].needs]

    def run_scores(self, image_keys: Sequence[str] | None) -> None:
        """Everything that needs the model's scores, and the orders of the pixels."""
        asked = set(self.metrics)
        rankings = [rank_pixels(one, *self.batch.shape[-2:]) for one in self.maps]
        for label, ranking, finite in zip(self.labels, rankings, self.finite, strict=True):
            self._tied[label] = _numbers(torch.where(finite, ranking.tied, torch.nan))
        if not self._scoring:
            return
        if not self.model.num_classes:
            raise AuditError(
                f"“{METRICS[self._scoring[0]].title}” needs class scores, and the model has no"
                " classifier head.",
                "Give it a linear probe as its head, or leave the metric out.",
            )
        self._classes = self._chosen(self.settings.curve_class)
        self._masked_classes = self._chosen(self.settings.masked_class)
        if asked & {"average-drop", "average-increase"}:
            self._masked()
        self._insertion_deletion(rankings)
        self._road(rankings, image_keys)

    def run_maps(self, masks: torch.Tensor | np.ndarray | None) -> None:
        """What the maps alone say."""
        if "sparseness" in self.metrics:
            self._put("sparseness", [sparseness(one) for one in self.maps])
        if "complexity" in self.metrics:
            self._put("complexity", [complexity(one) for one in self.maps])
        asked = [key for key in ("pointing-game", "energy-inside") if key in self.metrics]
        if not asked:
            return
        if masks is None:
            raise AuditError(
                f"“{METRICS[asked[0]].title}” needs masks of the object.",
                "Give label planes, or leave the metric out.",
            )
        tensor = torch.as_tensor(masks).to(self.batch.device)
        found = [localisation(one, tensor, self.settings.pointing_tolerance) for one in self.maps]
        if "pointing-game" in asked:
            self._put("pointing-game", [one.pointing for one in found])
        if "energy-inside" in asked:
            self._put("energy-inside", [one.energy for one in found])

    def run_explanations(self, explain: Explain, image_keys: Sequence[str] | None) -> None:
        """What needs maps made anew."""
        settings, own = self.settings, dict(zip(self.labels, self.maps, strict=True))
        if "max-sensitivity" in self.metrics:
            keys = content_keys(self.batch) if image_keys is None else image_keys
            found = max_sensitivity(
                lambda changed: explain(changed, None), self.batch, own, self.images.pixels,
                settings.radius, settings.perturbations, settings.seed, keys,
            )  # fmt: skip
            self._put("max-sensitivity", [found[label] for label in self.labels])
        if "randomisation" not in self.metrics:
            return
        stages: dict[str, list[torch.Tensor]] = {label: [] for label in self.labels}
        count = settings.stages if settings.randomisation == "cascading" else 1
        for other in randomised_models(self.model, count, settings.seed):
            try:
                maps = explain(self.batch, other)
            except AuditError as error:
                self._notes.append(f"With randomised weights: {error.summary}")
                maps = {}
            for label, one in own.items():
                stages[label].append(rank_correlation(one, maps.get(label)))
        together = {label: torch.stack(parts, 1) for label, parts in stages.items()}
        self._put("randomisation", [together[label].mean(1) for label in self.labels])
        self._stages = {label: _numbers(value) for label, value in together.items()}

    def result(self) -> Measurements:
        """Everything on the host."""
        probability = None
        if self._classes is not None:
            probability = _numbers(self.images.of_class(self.images.original(), self._classes))
        return Measurements(
            self._values, self._curves, self._tied,
            None if self._classes is None else self._classes.cpu().numpy(),
            None if self._masked_classes is None else self._masked_classes.cpu().numpy(),
            probability, self._stages, self.images.forwards, tuple(self._notes),
        )  # fmt: skip

    @property
    def _scoring(self) -> list[str]:
        return [key for key in self.metrics if "scores" in METRICS[key].needs]

    def _masked(self) -> None:
        assert self._masked_classes is not None
        original = self.images.of_class(self.images.original(), self._masked_classes)
        masked = masked_scores(
            self.images, self.maps, self._masked_classes, self.settings.masked_baseline
        )
        if "average-drop" in self.metrics:
            self._put("average-drop", list(average_drop(original, masked)))
        if "average-increase" in self.metrics:
            self._put("average-increase", list(average_increase(original, masked)))

    def _insertion_deletion(self, rankings: list[Ranking]) -> None:
        assert self._classes is not None
        settings = self.settings
        for kind in KINDS:
            if kind not in self.metrics:
                continue
            insertion = kind == "insertion"
            baseline = settings.insertion_baseline if insertion else settings.deletion_baseline
            scores = curve(
                self.images, rankings, self._classes, settings.steps, kind, baseline
            ).cpu()  # fmt: skip
            areas = torch.from_numpy(area_under_curve(scores.numpy()))
            self._put(kind, list(areas.to(self.batch.device)))
            for label, one, finite in zip(self.labels, scores, self.finite, strict=True):
                own = torch.where(finite.cpu()[:, None], one, torch.nan)
                self._curves[label, kind] = own.numpy()

    def _road(self, rankings: list[Ranking], image_keys: Sequence[str] | None) -> None:
        orders = {key: order for key, order in _ROAD_KEYS.items() if key in self.metrics}
        if not orders:
            return
        assert self._classes is not None
        keys = content_keys(self.batch) if image_keys is None else image_keys
        scores = road_scores(
            self.images, rankings, self._classes, tuple(orders.values()),
            self.settings.percentages, self.settings.road_noise, self.settings.seed, keys,
        )  # fmt: skip
        for key, order in orders.items():
            self._put(key, list(scores[order].mean(-1)))

    def _put(self, key: str, values: Sequence[torch.Tensor]) -> None:
        """Values of each method; NaN where its map was not finite."""
        for label, one, finite in zip(self.labels, values, self.finite, strict=True):
            self._values[label, key] = _numbers(torch.where(finite, one, torch.nan))

    def _chosen(self, which: str) -> torch.Tensor:
        if which == "label":
            if self._own is None:
                raise AuditError(
                    "The class of each image's label is not known.",
                    "Give labels, or measure on the explained class (preset “correct”).",
                )
            chosen = self._own
        elif which == "explained" and self._explained is not None:
            chosen = self._explained
        else:
            chosen = self.images.original().argmax(1)
        if bool((chosen >= self.images.original().shape[1]).any()):
            raise AuditError(
                f"The model has {self.images.original().shape[1]} classes; there is no class"
                f" {int(chosen.max())}.",
                "Choose one of the model's classes.",
            )
        return chosen

    def _taken(
        self, maps: Mapping[str, Maps | torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        if not maps:
            raise AuditError("There is no map to measure.", "Choose at least one method.")
        values, finite = [], []
        for one in maps.values():
            tensor = one.values if isinstance(one, Maps) else one
            checked = checked_maps(tensor.to(self.batch.device, torch.float32), len(self.batch))
            clean, good = finite_maps(checked)
            values.append(clean)
            finite.append(good)
        return values, finite

    def _class_numbers(self, classes: torch.Tensor | Sequence[int] | None) -> torch.Tensor | None:
        if classes is None:
            return None
        found = torch.as_tensor(classes, dtype=torch.int64).to(self.batch.device)
        if found.shape != (len(self.batch),):
            raise AuditError(
                "There is one class for each image.",
                f"Got {found.numel()} for {len(self.batch)} images.",
            )
        return found

    def _count(self, forwards: int) -> None:
        self._done += forwards
        assert self._check is not None
        self._check(self._done, max(self._total, self._done))


def _numbers(values: torch.Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype(np.float64)
