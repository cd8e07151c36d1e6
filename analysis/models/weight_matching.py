"""Which tensors of a checkpoint belong to which tensors of a network: strict, and told in full.

A checkpoint fits when every tensor of the network, but for the classifier head, is found under
the same name and with the same shape, once a common prefix is taken off. Self-supervised training
(MoCo, DINO, iBOT, SwAV, BYOL, Barlow Twins, MAE) saves a backbone beside projection heads,
decoders and second branches; these are left out by name, and anything else that has no place in
the network is a reason to refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch

from analysis.errors import AuditError
from analysis.models.checkpoints import Checkpoint, TensorGroup

_COUNTER = "num_batches_tracked"  # counts training steps; no output depends on it
# Wrappers that say nothing about how the network was trained.
_PLAIN_PREFIXES = {"module", "model", "_orig_mod", "net", "network", "state_dict", "ema"}
# Of two branches that fit equally well, the one whose name holds these is used first or last.
_PREFERRED = ("teacher", "ema", "online", "encoder_q")
_SECOND_CHOICE = ("momentum", "encoder_k", "target", "student", "key_encoder")
# What self-supervised training keeps beside the backbone, by the first part of the name.
_TRAINING_PARTS = (
    "aux",
    "center",
    "contrast",
    "decoder",
    "head",
    "mask",
    "predictor",
    "proj",
    "prototype",
    "queue",
)


@dataclass(frozen=True)
class WeightMatch:
    """How a checkpoint fits a network.

    `tensors`: by the network's names, without the head where `headless`. `missing`: names of the
    network that got no weights; `left_out`: names of the checkpoint that were not used;
    `renamed`: how many tensors were mapped by their order.
    """

    tensors: dict[str, torch.Tensor]
    prefix: str = ""
    container: str = ""
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    renamed: int = 0
    headless: bool = False
    note: str = ""


@dataclass(frozen=True)
class NetworkNames:
    """What a network asks of a checkpoint.

    `expected`: its tensors by name, with shapes. `head`: the dotted names of its classifier.
    `buffers`: names of values it computes itself. `title` and `classes` serve messages; `classes`
    is 0 when a headless network was asked for.
    """

    expected: Mapping[str, torch.Size]
    head: tuple[str, ...]
    buffers: Collection[str]
    title: str
    classes: int

    def in_head(self, name: str) -> bool:
        """Whether a tensor belongs to the classifier, or to what stands in its place."""
        return any(name == head or name.startswith(f"{head}.") for head in self.head)


@dataclass(frozen=True)
class _Candidate:
    group: TensorGroup
    prefix: str
    inside: dict[str, torch.Tensor]
    fitting: int

    @property
    def self_supervised(self) -> bool:
        parts = [*self.prefix.split("."), *self.group.container.split(".")]
        return any(part and part not in _PLAIN_PREFIXES for part in parts)


def match_weights(checkpoint: Checkpoint, network: NetworkNames, source: str) -> WeightMatch:
    """Find the network's tensors in a checkpoint.

    :param source: the file's name, for messages.
    :raises AuditError: the checkpoint is of another architecture, has another number of classes,
        or holds values that are not finite.
    """
    candidate = _best_candidate(checkpoint, network)
    match = _match_by_name(candidate, network)
    if match is None:
        match = _match_by_order(checkpoint, network)
    if match is None:
        raise _misfit(candidate, network, source)
    _check_finite(match.tensors, source)
    return match


def _best_candidate(checkpoint: Checkpoint, network: NetworkNames) -> _Candidate:
    candidates = []
    for group in checkpoint.groups:
        counts = Counter(
            prefix for name, tensor in group.tensors.items()
            for prefix in _prefixes(name, tensor, network)
        )  # fmt: skip
        for prefix in dict.fromkeys(["", *(prefix for prefix, _ in counts.most_common(4))]):
            inside = {
                name[len(prefix) :]: tensor
                for name, tensor in group.tensors.items()
                if name.startswith(prefix)
            }
            candidates.append(_Candidate(group, prefix, inside, counts[prefix]))
    return max(candidates, key=_rank)


def _prefixes(name: str, tensor: torch.Tensor, network: NetworkNames) -> list[str]:
    """Every prefix of a tensor's name that leaves a name of the network with the same shape."""
    parts = name.split(".")
    rests = ((".".join(parts[:start]), ".".join(parts[start:])) for start in range(len(parts)))
    return [
        f"{prefix}." if prefix else ""
        for prefix, rest in rests
        if network.expected.get(rest) == tensor.shape
    ]


def _rank(candidate: _Candidate) -> tuple[int, int]:
    path = f"{candidate.group.container}.{candidate.prefix}".lower()
    preference = any(word in path for word in _PREFERRED)
    return candidate.fitting, int(preference) - 2 * int(_second_choice(path))


def _match_by_name(candidate: _Candidate, network: NetworkNames) -> WeightMatch | None:
    inside, expected = candidate.inside, network.expected
    fitting = {
        name: tensor for name, tensor in inside.items() if expected.get(name) == tensor.shape
    }
    lacking = [name for name in expected if name not in fitting and not name.endswith(_COUNTER)]
    body = [name for name in lacking if not network.in_head(name)]
    head = [name for name in lacking if network.in_head(name)]
    extra = [name for name in inside if name not in expected]
    if body or not fitting or not all(_may_be_left_out(name, network) for name in extra):
        return None
    headless = bool(head) or not network.classes
    if head:
        _check_lost_head(candidate, network, head)
        fitting = {name: tensor for name, tensor in fitting.items() if not network.in_head(name)}
    unused = [name for name in inside if name not in fitting]
    outside = [name for name in candidate.group.tensors if not name.startswith(candidate.prefix)]
    return WeightMatch(
        tensors=fitting,
        prefix=candidate.prefix,
        container=candidate.group.container,
        missing=tuple(head),
        left_out=(*(candidate.prefix + name for name in unused), *outside),
        headless=headless,
        note="The checkpoint has no classifier head for these classes: a backbone without one."
        if head
        else "",
    )


def _may_be_left_out(name: str, network: NetworkNames) -> bool:
    return (
        network.in_head(name)
        or name in network.buffers
        or name.endswith(_COUNTER)
        or any(part in name.split(".")[0].lower() for part in _TRAINING_PARTS)
    )


def _check_lost_head(candidate: _Candidate, network: NetworkNames, head: Sequence[str]) -> None:
    """Refuse a plain classifier of another size; a projection head in its place is left out."""
    for name in head:
        found = candidate.inside.get(name)
        if found is None or not name.endswith("weight") or candidate.self_supervised:
            continue
        raise AuditError(
            f"The checkpoint's head tells {found.shape[0]} classes apart, {network.title}"
            f" {network.expected[name][0]}.",
            f"Add ?num_classes={found.shape[0]}, or ?num_classes=0 for a model without a head.",
        )


def _match_by_order(checkpoint: Checkpoint, network: NetworkNames) -> WeightMatch | None:
    """Tensors under other names, one for one in the network's order, all shapes and roles equal.

    The tensors are a whole group of the checkpoint or one branch of it; the network's are all, or
    all but its head.
    """
    if not checkpoint.ordered:
        return None
    body = {name: shape for name, shape in network.expected.items() if not network.in_head(name)}
    wanted = [network.expected, *([body] if 0 < len(body) < len(network.expected) else [])]
    for group in checkpoint.groups:
        branches = sorted({_branch(name) for name in group.tensors}, key=_second_choice)
        for prefix in ("", *branches):
            inside = {name: t for name, t in group.tensors.items() if name.startswith(prefix)}
            for expected in wanted:
                if _same_order(expected, inside):
                    return _order_match(group, prefix, inside, expected, network)
    return None


def _same_order(expected: Mapping[str, torch.Size], inside: Mapping[str, torch.Tensor]) -> bool:
    return len(inside) == len(expected) and all(
        shape == tensor.shape and _role(name) == _role(other)
        for (name, shape), (other, tensor) in zip(expected.items(), inside.items(), strict=True)
    )


def _order_match(
    group: TensorGroup,
    prefix: str,
    inside: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Size],
    network: NetworkNames,
) -> WeightMatch:
    missing = tuple(name for name in network.expected if name not in expected)
    return WeightMatch(
        tensors=dict(zip(expected, inside.values(), strict=True)),
        prefix=prefix,
        container=group.container,
        missing=missing,
        left_out=tuple(name for name in group.tensors if name not in inside),
        renamed=len(expected),
        headless=bool(missing) or not network.classes,
        note="The tensors have other names and were mapped by their order; all shapes fit.",
    )


def _branch(name: str) -> str:
    return name.partition(".")[0] + "."


def _second_choice(name: str) -> bool:
    return any(word in name.lower() for word in _SECOND_CHOICE)


def _role(name: str) -> str:
    return name.rpartition(".")[2]


def _misfit(candidate: _Candidate, network: NetworkNames, source: str) -> AuditError:
    inside, expected = candidate.inside, network.expected
    fitting = sum(expected.get(name) == tensor.shape for name, tensor in inside.items())
    differences = [
        f"{name} is {tuple(inside[name].shape)} there and {tuple(shape)} in the network"
        if name in inside
        else f"{name} is not there"
        for name, shape in expected.items()
        if not name.endswith(_COUNTER)
        and (name not in inside or inside[name].shape != shape)
        and not network.in_head(name)
    ]
    differences += [
        f"{name} has no place in the network"
        for name in inside
        if name not in expected and not _may_be_left_out(name, network)
    ]
    return AuditError(
        f"{source} does not fit {network.title}: {fitting} of {len(expected)} tensors match. "
        f"First differences: {'; '.join(differences[:3])}.",
        "Check the architecture, and options such as num_classes or img_size.",
    )


def _check_finite(tensors: Mapping[str, torch.Tensor], source: str) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise AuditError(
                f"The weights in {source} are not all finite ({name}).",
                "The training may have diverged; choose an earlier checkpoint.",
            )
