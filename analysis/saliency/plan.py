"""What is to be done for every chunk of images, and what must be said of the maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from analysis.models.layers import Layer, find_layers
from analysis.saliency.attention import AttentionLayer, Attentions, find_attentions
from analysis.saliency.attention_maps import layer_range
from analysis.saliency.chunks import images_at_once
from analysis.saliency.methods import MethodSettings
from analysis.saliency.targets import attention_layer, cam_layer
from analysis.saliency.transformer_parts import find_relevance_parts, read_tokens

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_MOST_IMAGES = 16
_MEMORY = 1 << 30  # bytes that a forward with everything kept may take


class Notes:
    """What must be said of each image's map, by the method's label."""

    def __init__(self, images: int) -> None:
        self._images = images
        self._texts: dict[str, list[list[str]]] = defaultdict(lambda: [[] for _ in range(images)])

    def add(self, label: str, text: str, where: torch.Tensor | None = None, start: int = 0) -> None:
        """`text` holds for the images where `where` (m,) bool is true, or for all.

        :param start: the number of the image that `where` begins with.
        """
        if where is None:
            where = torch.ones(self._images, dtype=torch.bool)
        for place in where.nonzero()[:, 0].tolist():
            self._texts[label][start + place].append(text)

    def about(self, label: str) -> tuple[str, ...]:
        """A text for each image, “” where there is nothing to say."""
        return tuple("; ".join(texts) for texts in self._texts[label])


class Plan:
    """What is to be done for every chunk of images."""

    def __init__(
        self,
        model: LoadedModel,
        settings: tuple[MethodSettings, ...],
        layer: str | None,
        score_chunk: int | None,
        check: Callable[[int, int], None] | None,
        images: int,
    ) -> None:
        self.model, self.settings = model, settings
        self.score_chunk, self.check = score_chunk, check
        self.notes = Notes(images)
        self.cams = [one for one in settings if one.definition.kind == "cam"]
        self.layer: Layer | None = cam_layer(model, layer) if self.cams else None
        self.relevance = [one for one in settings if one.definition.kind == "relevance"]
        self.gradients = any("gradients" in one.definition.needs for one in settings)
        self.runs = any(one.definition.kind != "null" for one in settings)
        self.attentions = Attentions(())
        if any("attention" in one.definition.needs for one in settings):
            self.attentions = find_attentions(model)
        self.blocks: tuple[str, ...] = ()
        if any(one.method == "tibav" for one in settings):
            self.blocks = find_relevance_parts(model).blocks
        self.at: dict[str, tuple[AttentionLayer, ...]] = {
            one.label: self._looks_at(one)
            for one in settings
            if one.definition.kind in ("attention", "relevance")
        }

    def note_unread(self) -> None:
        """Say of class-token maps that the classifier does not read that token, where it is so."""
        if not self.model.num_classes or not self.attentions.layers:
            return
        if read_tokens(self.model) is None:
            for one in self.settings:
                needs = one.definition.needs
                if "class token" in needs and "head" not in needs:
                    self.notes.add(
                        one.label, "The classifier reads the patches, not this class token"
                    )

    def _looks_at(self, one: MethodSettings) -> tuple[AttentionLayer, ...]:
        layers = self.attentions.layers
        if one.method == "rollout" or one.definition.kind == "relevance":
            return tuple(layer_range(layers, one.first, one.last))
        return (attention_layer(self.model, one.layer),)

    def recorded(self) -> list[str]:
        """The attention layers that must be recorded, in order; all where relevance needs them."""
        if self.blocks:
            return [layer.name for layer in self.attentions.layers]
        used = {layer.name for layers in self.at.values() for layer in layers}
        return [layer.name for layer in self.attentions.layers if layer.name in used]

    def place(self, one: MethodSettings) -> str:
        """Where a method's maps come from."""
        if one.definition.kind == "cam":
            assert self.layer is not None
            return self.layer.name
        layers = self.at.get(one.label, ())
        if len(layers) > 1:
            return f"{layers[0].name} … {layers[-1].name}"
        return layers[0].name if layers else ""

    def images_a_forward(self) -> int:
        """As many images as run best at once, and as memory takes for what is kept of them."""
        recorded = [layer for layer in self.attentions.layers if layer.name in self.recorded()]
        numbers = 0
        if self.relevance:
            channels = max(layer.channels for layer in find_layers(self.model) if layer.token)
            for layer in recorded:
                # Weights, their gradient and relevance; tokens of the block's parts.
                numbers += 4 * layer.heads * layer.queries * layer.tokens
                numbers += 12 * layer.tokens * channels
        else:
            numbers = sum(layer.queries * layer.tokens for layer in recorded)
        most = images_at_once(self.model, _MOST_IMAGES)
        return max(1, min(most, _MEMORY // max(1, 4 * numbers)))
