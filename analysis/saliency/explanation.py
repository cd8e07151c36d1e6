"""Explain a batch of images by any number of methods in one forward.

All gradient CAMs, TIBAV and its successor share one forward and one backward; all attention methods
share the same forward. Score-CAM needs its own forwards, one a channel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from analysis.saliency.applicability import check_methods
from analysis.saliency.inputs import checked_batch, checked_classes
from analysis.saliency.maps import Maps
from analysis.saliency.methods import MethodSettings, check_distinct, parse_method
from analysis.saliency.one_forward import OneForward
from analysis.saliency.plan import Plan

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel


def explain(
    model: LoadedModel,
    batch: torch.Tensor,
    methods: Sequence[MethodSettings | str],
    classes: torch.Tensor | Sequence[int] | None = None,
    layer: str | None = None,
    *,
    chunk: int | None = None,
    score_chunk: int | None = None,
    image_keys: Sequence[str] | None = None,
    check: Callable[[int, int], None] | None = None,
) -> dict[str, Maps]:
    """Maps of each method, by the method's label, in the order asked for.

    :param batch: model inputs (n, 3, height, width), as `to_model_input` gives them.
    :param methods: settings, or text as `parse_method` reads it.
    :param classes: (n,) the class to explain for each image; None for the predicted ones.
    :param layer: where the CAMs are taken; None for the automatic layer. See `target_layer`.
    :param chunk: images a forward; None for as many as memory allows. No map depends on it.
    :param score_chunk: masked images a forward of Score-CAM.
    :param image_keys: (n,) what the random map of each image is derived from; None for its content.
    :param check: called with (done, total) masked forwards of Score-CAM; may raise to stop.
    :raises AuditError: a method cannot be used on this model, a class does not exist, or the images
        are not what the model takes.
    """
    settings = tuple(
        parse_method(method) if isinstance(method, str) else method for method in methods
    )
    check_distinct(settings)
    check_methods(model, settings, layer)
    batch = checked_batch(model, batch)
    wanted = checked_classes(model, classes, len(batch))
    plan = Plan(model, settings, layer, score_chunk, check, len(batch))
    size = chunk or plan.images_a_forward()
    collected: dict[str, list[torch.Tensor]] = defaultdict(list)
    found_classes: list[torch.Tensor] = []
    for start in range(0, len(batch), size):
        part = slice(start, start + size)
        given = None if wanted is None else wanted[part]
        keys = None if image_keys is None else image_keys[part]
        chunk_maps, chunk_classes = OneForward(plan, batch[part], given, keys, start).run()
        for label, values in chunk_maps.items():
            collected[label].append(values)
        if chunk_classes is not None:
            found_classes.append(chunk_classes)
    plan.note_unread()
    all_classes = torch.cat(found_classes) if found_classes else None
    return {
        one.label: Maps(
            one,
            torch.cat(collected[one.label]),
            plan.place(one),
            all_classes if one.definition.class_dependent else None,
            plan.notes.about(one.label),
        )
        for one in settings
    }
