"""What the models of a saliency run share: frames of some images, and what maps should lie on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.context import RunContext
from analysis.audits.grouping import ImageEntry
from analysis.audits.label_sources import DataLabels, label_planes, plane_images
from analysis.audits.plan import Unit
from analysis.audits.saliency import planned_images
from analysis.errors import AuditError
from analysis.images.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.audits.saliency import SaliencyParameters
    from analysis.segmentation.merged import LabelPlanes

LABEL = "label"


@dataclass(frozen=True)
class ImageBatch:
    """Images of one unit that could be read.

    `frames`: (images, side, side, 3) uint8; `masks`: (images, side, side) bool, what maps should
    lie on, empty where the image does not show it; None without localisation.
    """

    key: str
    images: tuple[ImageEntry, ...]
    frames: np.ndarray
    masks: np.ndarray | None
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MaskSource:
    """The label planes of a run, or why there are none."""

    planes: LabelPlanes | None
    reason: str = ""


def read_batch(unit: Unit, context: RunContext) -> ImageBatch:
    """The batch of a unit; every model of the same images gets the same one.

    :raises AuditError: not one of the images can be read.
    """
    key = unit.key.rpartition("/models/")[0]
    last: ImageBatch | None = context.kept.get("batch")
    if last is not None and last.key == key:
        return last
    context.kept.pop("batch", None)
    wanted = set(unit.images)
    parameters: SaliencyParameters = context.parameters
    loaded = context.load_images(
        [image for image in planned_images(context) if image.id in wanted],
        parameters.resize,
        parameters.frame,
        context.stepper(0.0, 0.02, "Reading images"),
    )
    masks, problems = _masks(context, loaded.images)
    batch = ImageBatch(key, loaded.images, loaded.frames, masks, (*loaded.problems, *problems))
    context.kept["batch"] = batch
    return batch


def mask_source(context: RunContext) -> MaskSource:
    """Where masks come from, found once a run."""
    return context.keep("masks", lambda: _find_masks(context))


def _find_masks(context: RunContext) -> MaskSource:
    parameters: SaliencyParameters = context.parameters
    wanted = parameters.mask.strip()
    if not wanted:
        return MaskSource(None)
    images = planned_images(context)
    try:
        planes = label_planes(
            context.project,
            context.run.image_set,
            plane_images(context.project, images),
            DataLabels(parameters.labels, parameters.frame),
            Frame(parameters.resize, parameters.frame),
        )
    except AuditError as error:
        return MaskSource(None, str(error))
    known = {name.casefold() for name in planes.space.names}
    asked = {image.label or "" for image in images} if wanted == LABEL else {wanted}
    if not known & {name.casefold() for name in asked}:
        what = "called like a class of the images" if wanted == LABEL else f"called “{wanted}”"
        return MaskSource(None, f"The label planes have no concept {what}.")
    return MaskSource(planes)


def _masks(
    context: RunContext, images: Sequence[ImageEntry]
) -> tuple[np.ndarray | None, list[tuple[str, str]]]:
    planes = mask_source(context).planes
    if planes is None:
        return None, []
    side = planes.resolution
    masks = np.zeros((len(images), side, side), dtype=bool)
    problems: list[tuple[str, str]] = []
    wanted = context.parameters.mask.strip()
    names = np.array([name.casefold() for name in planes.space.names])
    for place, image in enumerate(plane_images(context.project, images)):
        name = (image.label or "") if wanted == LABEL else wanted
        codes = np.flatnonzero(names == name.casefold()) + 1
        reading = planes.read(image, None)
        problems += [(image.path, reason) for reason in reading.problems]
        if reading.complete:
            masks[place] = np.isin(reading.codes, codes).any(0)
    return masks, problems
