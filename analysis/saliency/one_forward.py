"""One chunk of images through one forward, and all maps that are read off it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch

from analysis.errors import AuditError
from analysis.saliency import null_maps
from analysis.saliency.attention import AttentionLayer, AttentionRecorder, Recorded
from analysis.saliency.attention_maps import attention_map, fuse_heads, rollout
from analysis.saliency.cams import gradcam, gradcam_plus_plus, xgradcam
from analysis.saliency.capture import MapCapture, scaled_grid
from analysis.saliency.inputs import run_on
from analysis.saliency.methods import MethodSettings
from analysis.saliency.plan import Plan
from analysis.saliency.relevance import gradient_rollout, start_row, tibav
from analysis.saliency.scorecam import scorecam
from analysis.saliency.targets import null_grid
from analysis.saliency.transformer_parts import BlockRun, TransformerRun, recording_blocks

_LOST_RELEVANCE = 0.01


@dataclass
class _Forward:
    """What one forward left behind."""

    output: torch.Tensor
    run: TransformerRun
    kept: dict[str, Recorded] = field(default_factory=dict)
    fused: dict[tuple[str, str, float], torch.Tensor] = field(default_factory=dict)
    singles: dict[str, torch.Tensor] = field(default_factory=dict)


class OneForward:
    """One chunk of images through one forward."""

    def __init__(
        self,
        plan: Plan,
        batch: torch.Tensor,
        classes: torch.Tensor | None,
        keys: Sequence[str] | None,
        start: int,
    ) -> None:
        self._plan, self._model, self._batch = plan, plan.model, batch
        self._classes, self._keys, self._start = classes, keys, start
        self._capture: MapCapture | None = None
        self._gradients: dict[str, torch.Tensor] = {}
        self._activation_gradient: torch.Tensor | None = None

    def run(self) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Maps by label, and the classes explained (None for a model without classes)."""
        maps: dict[str, torch.Tensor] = {}
        if self._plan.runs:
            forward = self._forward()
            if self._model.num_classes:
                self._settle_classes(forward.output)
            if self._plan.gradients:
                self._backward(forward)
            for one in self._plan.settings:
                if one.definition.kind != "null":
                    maps[one.label] = self._map(one, forward)
        for one in self._plan.settings:
            if one.definition.kind == "null":
                maps[one.label] = self._null(one).to(self._batch.device)
        return maps, self._classes

    def _forward(self) -> _Forward:
        plan, model = self._plan, self._model
        forward = _Forward(
            torch.empty(0), TransformerRun({name: BlockRun() for name in plan.blocks})
        )
        with ExitStack() as stack:
            stack.enter_context(torch.set_grad_enabled(plan.gradients))
            if plan.layer is not None:
                self._capture = MapCapture(model, plan.layer, plan.gradients)
                stack.enter_context(self._capture.capturing())
            if plan.blocks:
                stack.enter_context(recording_blocks(model, plan.blocks, forward.run))
            names = plan.recorded()
            if names:
                receive = self._receiver(forward)
                recorder = AttentionRecorder(
                    model.module, names, receive, gradients=bool(plan.relevance)
                )
                stack.enter_context(recorder.recording())
            output = run_on(model, self._batch)
        forward.output = output.float().flatten(1)
        if not bool(torch.isfinite(forward.output).all()):
            raise AuditError(
                "The model's scores are not finite for some of these images.",
                "Check the model's input size and preprocessing.",
            )
        return forward

    def _receiver(self, forward: _Forward) -> Callable[[str, Recorded], None]:
        """Reduce attention as it comes, so that nothing is kept that no method needs."""
        plan = self._plan
        named = {layer.name: layer for layer in plan.attentions.layers}

        def receive(name: str, recorded: Recorded) -> None:
            with torch.no_grad():
                for one in plan.settings:
                    layers = plan.at.get(one.label, ())
                    if all(layer.name != name for layer in layers):
                        continue
                    if one.method == "rollout":
                        key = (name, one.fusion, one.discard)
                        if key not in forward.fused:
                            forward.fused[key] = fuse_heads(
                                recorded.weights, one.fusion, one.discard
                            )
                    elif one.definition.kind == "attention":
                        layer = named[name]
                        grid = scaled_grid(self._model, self._batch, layer.grid)
                        forward.singles[one.label] = attention_map(
                            one, recorded, layer.prefix_tokens, grid
                        )
            if plan.relevance:
                forward.kept[name] = recorded
                block = name.rpartition(".")[0]
                if block in forward.run.blocks:
                    forward.run.blocks[block].attention = recorded

        return receive

    def _settle_classes(self, output: torch.Tensor) -> None:
        if self._classes is None:
            self._classes = output.detach().argmax(1)
        elif bool((self._classes >= output.shape[1]).any()):
            raise AuditError(
                f"The model has {output.shape[1]} classes; there is no class"
                f" {int(self._classes.max())}.",
                "Choose one of the model's classes.",
            )

    def _backward(self, forward: _Forward) -> None:
        assert self._classes is not None
        with torch.enable_grad():
            score = forward.output.gather(1, self._classes[:, None]).sum()
        names = list(forward.kept)
        wanted = [forward.kept[name].weights for name in names]
        if self._capture is not None:
            assert self._capture.tensor is not None
            wanted.append(self._capture.tensor)
        if not score.requires_grad:
            found: Sequence[torch.Tensor | None] = [None] * len(wanted)
        else:
            found = torch.autograd.grad(score, wanted, allow_unused=True)
        whole = [
            torch.zeros_like(tensor) if gradient is None else gradient
            for tensor, gradient in zip(wanted, found, strict=True)
        ]
        self._gradients = dict(zip(names, whole, strict=False))
        if self._capture is not None:
            self._activation_gradient = whole[-1]

    def _map(self, one: MethodSettings, forward: _Forward) -> torch.Tensor:
        kind = one.definition.kind
        if kind == "cam":
            return self._cam(one)
        if kind == "relevance":
            return self._relevance(one, forward)
        if one.method == "rollout":
            layers = self._plan.at[one.label]
            matrices = [forward.fused[layer.name, one.fusion, one.discard] for layer in layers]
            return self._patches(rollout(matrices, one.order), layers[-1])
        return forward.singles[one.label]

    def _cam(self, one: MethodSettings) -> torch.Tensor:
        assert self._capture is not None
        activations = self._capture.maps(self._batch)
        if one.method == "scorecam":
            return self._score_cam(one, activations)
        gradients = self._capture.maps(self._batch, self._activation_gradient)
        blind = (gradients == 0).flatten(1).all(1)
        self._note(
            one,
            "The score has no gradient at the patches of this layer: choose an earlier one",
            blind,
        )
        if one.method == "gradcam":
            return gradcam(activations, gradients)
        if one.method == "gradcam++":
            return gradcam_plus_plus(activations, gradients)
        guarded = xgradcam(activations, gradients, one.guard)
        self._note(
            one,
            "More than a hundredth of the channels were left out: their sums all but cancel",
            (guarded.left_out > 0.01) & ~blind,
        )
        return guarded.maps

    def _score_cam(self, one: MethodSettings, activations: torch.Tensor) -> torch.Tensor:
        assert self._classes is not None
        count = activations.shape[1]
        if one.channels is not None and one.channels < count:
            text = f"An approximation: the {one.channels} most varied of {count} channels"
            self._note(one, text, torch.ones(len(activations), dtype=torch.bool))
        return scorecam(
            self._model, self._batch, activations, self._classes,
            one.score, one.corners, one.channels, self._plan.score_chunk, self._plan.check,
        ).maps  # fmt: skip

    def _relevance(self, one: MethodSettings, forward: _Forward) -> torch.Tensor:
        layers = self._plan.at[one.label]
        if one.method == "gradient-rollout":
            weights = [forward.kept[layer.name].weights for layer in layers]
            gradients = [self._gradients[layer.name] for layer in layers]
            start = start_row(self._model, layers[-1].tokens, weights[0].detach().float())
            return self._patches(gradient_rollout(start, weights, gradients), layers[-1])
        assert self._classes is not None
        by_block = {name.rpartition(".")[0]: value for name, value in self._gradients.items()}
        with torch.no_grad():
            found = tibav(self._model, forward.run, by_block, self._classes, one.first or 1)
        lost = (found.conserved - 1).abs().amax(0) > _LOST_RELEVANCE
        self._note(one, "More than a hundredth of the relevance was lost on its way", lost)
        return self._patches(found.rows, layers[-1])

    def _patches(self, row: torch.Tensor, layer: AttentionLayer) -> torch.Tensor:
        grid = scaled_grid(self._model, self._batch, layer.grid)
        return row[:, layer.prefix_tokens :].reshape(len(row), *grid).float()

    def _note(self, one: MethodSettings, text: str, where: torch.Tensor) -> None:
        self._plan.notes.add(one.label, text, where, self._start)

    def _null(self, one: MethodSettings) -> torch.Tensor:
        if one.method == "sobel":
            return null_maps.edge_maps(self._batch, self._model.preprocessing)
        grid = scaled_grid(self._model, self._batch, null_grid(self._model))
        if one.method == "gaussian":
            return null_maps.centre_maps(len(self._batch), grid)
        keys = self._keys if self._keys is not None else null_maps.image_keys(self._batch)
        return null_maps.random_maps(keys, grid, one.seed)
