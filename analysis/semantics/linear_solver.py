"""One solver for thousands of small linear classifiers that share their examples.

All problems of a layer look into one Gram matrix of the examples, so that the number of features
matters once: pooled features and whole maps cost the same from there on. A problem has an
unpenalised bias, both kinds of examples weigh the same in all, and its weights are
w = Σ αᵢ xᵢ with Σ αᵢ = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from analysis.errors import AuditError
from analysis.semantics.example_sets import LinearProblems
from analysis.statistics.numerics import require_finite

Loss = Literal["hinge", "ridge", "mean difference"]
LOSSES: tuple[Loss, ...] = ("hinge", "ridge", "mean difference")
REGULARISATION = 0.01

_SYSTEM_VALUES = 1 << 23  # elements of the systems solved at once
_GRAM_VALUES = 1 << 24  # centred features held at once
_MOST_STEPS = 50
_HALVINGS = 12
_SETTLED = 1e-6  # relative fall of the objective that is no progress


@dataclass(frozen=True)
class ExampleGram:
    """Inner products of N examples about their mean, brought to a mean squared length of 1.

    `values`: (N, N); inner products of centred features are `values` · `scale`.
    """

    values: torch.Tensor
    scale: float


@dataclass(frozen=True)
class LinearFits:
    """`weights` (P, m): α of the training rows, 0 for padding; `bias` (P,); `converged` (P,)."""

    weights: torch.Tensor
    bias: torch.Tensor
    converged: torch.Tensor

    def part(self, start: int, stop: int) -> LinearFits:
        """The fits from `start` up to `stop`."""
        return LinearFits(
            self.weights[start:stop], self.bias[start:stop], self.converged[start:stop]
        )


def example_gram(features: torch.Tensor) -> ExampleGram:
    """The Gram matrix of examples (N, …), a block of features at a time.

    :raises AuditError: a value is not finite.
    """
    require_finite(features, "Activations")
    rows = features.reshape(len(features), -1)
    values = torch.zeros(len(rows), len(rows), device=rows.device)
    step = max(1, _GRAM_VALUES // len(rows))
    for start in range(0, rows.shape[1], step):
        part = centred(rows[:, start : start + step])
        values.addmm_(part, part.T)
    scale = float(values.diagonal().mean())
    if not scale > 0:
        return ExampleGram(torch.zeros_like(values), 1.0)
    return ExampleGram(values / scale, scale)


def centred(rows: torch.Tensor) -> torch.Tensor:
    """Features (N, d) as float32 about their mean; what never varies becomes exactly 0."""
    wide = rows.float()
    constant = (wide == wide[:1]).all(0)
    return (wide - wide.mean(0)).masked_fill_(constant, 0)


def solve(
    gram: ExampleGram,
    problems: LinearProblems,
    loss: Loss = "ridge",
    regularisation: float = REGULARISATION,
) -> LinearFits:
    """All problems at once.

    They minimise (1/m) Σ ωᵢ l(yᵢ, w·xᵢ + b) + regularisation · ‖w‖² over w and b, features scaled
    as in `gram`, with ωᵢ making both kinds count alike:

    - “ridge”: l = (y − f)², one system each (least-squares support vector machine).
    - “hinge”: l = max(0, 1 − y·f)², Newton's method in the dual (Chapelle 2007), which ends at the
      exact minimum after a few such systems.
    - “mean difference”: w is the difference of the two means, the bias half-way between them.

    :raises AuditError: an unknown loss, or no regularisation.
    """
    if loss not in LOSSES:
        raise AuditError(f"Unknown loss “{loss}”.", f"Choose one of {', '.join(LOSSES)}.")
    if not regularisation > 0:
        raise AuditError("The regularisation must be above zero.")
    device = gram.values.device
    # Small systems in a batch, which MPS solves one by one if at all.
    place = torch.device("cpu") if device.type == "mps" else device
    table = gram.values.to(place)
    width = problems.train.shape[1]
    step = max(1, _SYSTEM_VALUES // (width * width))
    parts = []
    for start in range(0, len(problems), step):
        part = problems.part(start, start + step)
        rows = torch.as_tensor(part.train, device=place)
        sign = torch.tensor(part.train_sign, device=place)
        weight = _balance(sign)
        if loss == "mean difference":
            parts.append(_mean_difference(table, rows, sign))
            continue
        penalty = regularisation * sign.ne(0).sum(1).to(sign)
        block = sub_gram(table, rows, rows)
        if loss == "ridge":
            parts.append(_least_squares(block, sign, weight, penalty, sign.ne(0)))
        else:
            parts.append(_squared_hinge(block, sign, weight, penalty))
    return LinearFits(*(torch.cat(each).to(device) for each in zip(*parts, strict=True)))


def held_out_values(gram: ExampleGram, problems: LinearProblems, fits: LinearFits) -> torch.Tensor:
    """The classifiers' values w·x + b of their test rows, (P, tests); padding has any value."""
    device = gram.values.device
    step = max(1, _SYSTEM_VALUES // (problems.train.shape[1] * problems.test.shape[1]))
    found = []
    for start in range(0, len(problems), step):
        part = problems.part(start, start + step)
        train = torch.as_tensor(part.train, device=device)
        test = torch.as_tensor(part.test, device=device)
        block = sub_gram(gram.values, test, train)
        weights = fits.weights[start : start + step, :, None]
        found.append((block @ weights)[..., 0] + fits.bias[start : start + step, None])
    return torch.cat(found)


def spread_weights(problems: LinearProblems, fits: LinearFits, examples: int) -> torch.Tensor:
    """The fits' α laid out over all examples, (P, examples): w = α @ centred features."""
    rows = torch.as_tensor(problems.train, device=fits.weights.device)
    spread = torch.zeros(len(problems), examples, device=fits.weights.device)
    return spread.scatter_add_(1, rows, fits.weights)


def sub_gram(table: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Inner products of rows (P, a) with rows (P, b): (P, a, b)."""
    return torch.take(table, first[:, :, None] * len(table) + second[:, None, :])


def _balance(sign: torch.Tensor) -> torch.Tensor:
    """ω (P, m): both kinds weigh the same in all, 1 on average; 0 for padding."""
    count = sign.ne(0).sum(1, keepdim=True)
    weight = torch.zeros_like(sign)
    for kind in (1, -1):
        members = sign.eq(kind)
        weight = weight + members * (count / (2 * members.sum(1, keepdim=True)))
    return weight


def _mean_difference(
    table: torch.Tensor, rows: torch.Tensor, sign: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    share = torch.zeros_like(sign)
    for kind in (1, -1):
        members = sign.eq(kind).to(sign)
        share = share + kind * members / members.sum(1, keepdim=True)
    values = (sub_gram(table, rows, rows) @ share[..., None])[..., 0]
    middle = (values * share.abs()).sum(1) / 2
    return share, -middle, torch.ones(len(rows), dtype=torch.bool, device=rows.device)


def _least_squares(
    block: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor,
    penalty: torch.Tensor,
    active: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """α and b of weighted least squares over the `active` rows; the other rows have α = 0.

    (K + penalty/ω) α + b = target with Σ α = 0: one factorisation, two right-hand sides.
    """
    on = active.to(block)
    system = block * (on[:, :, None] * on[:, None, :])
    ridge = torch.where(active, penalty[:, None] / weight.clamp(min=1e-12), 1.0)
    system.diagonal(dim1=1, dim2=2).add_(ridge)
    factor, info = torch.linalg.cholesky_ex(system)
    sides = torch.stack([on, target * on], 2)
    ones, values = torch.cholesky_solve(sides, factor).unbind(2)
    bias = values.sum(1) / ones.sum(1)
    return (values - bias[:, None] * ones) * on, bias, info == 0


def _squared_hinge(
    block: torch.Tensor, sign: torch.Tensor, weight: torch.Tensor, penalty: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Newton's method with a halved step where a whole one would raise the objective."""
    present = sign.ne(0)
    result, bias, done = _least_squares(block, sign, weight, penalty, present)
    state = _HingeState(block, sign, weight, penalty, result.clone(), bias.clone())
    # Where every margin is short, the hinge is the square, and the first system was the answer.
    converged = (state.active() == present).all(1)
    members = (~converged).nonzero()[:, 0]
    state.keep(~converged)
    for _ in range(_MOST_STEPS if len(members) else 0):
        settled = state.step()
        result[members], bias[members] = state.alpha, state.bias
        converged[members] = settled
        members = members[~settled]
        if not len(members):
            break
        state.keep(~settled)
    return result, bias, converged & done


class _HingeState:
    """The problems still running: where they are, what they predict and what it costs."""

    def __init__(
        self,
        block: torch.Tensor,
        sign: torch.Tensor,
        weight: torch.Tensor,
        penalty: torch.Tensor,
        alpha: torch.Tensor,
        bias: torch.Tensor,
    ) -> None:
        self.block, self.sign, self.weight, self.penalty = block, sign, weight, penalty
        self.alpha, self.bias = alpha, bias
        self.inner = _product(block, alpha)

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with the problems that `kept` (P,) marks."""
        for name, value in vars(self).items():
            setattr(self, name, value[kept])

    def step(self) -> torch.Tensor:
        """One Newton step of every problem; which of them are at their minimum."""
        active = self.active()
        alpha, bias, sound = _least_squares(
            self.block, self.sign, self.weight, self.penalty, active
        )
        inner = _product(self.block, alpha)
        before = self._objective(self.alpha, self.inner, self.bias)
        # A whole step that keeps the active set has found the minimum of its quadratic: the end.
        same = (self._short(inner, bias) == active).all(1)
        length = torch.ones_like(bias)
        for _ in range(_HALVINGS):
            moved = self._moved(length, alpha, inner, bias)
            worse = (self._objective(*moved) > before) & ~same
            if not bool(worse.any()):
                break
            length = torch.where(worse, length / 2, length)
        moved = self._moved(length, alpha, inner, bias)
        after = self._objective(*moved)
        self.alpha, self.inner, self.bias = moved
        return same | ~sound | (before - after <= _SETTLED * before)

    def active(self) -> torch.Tensor:
        """The rows whose margin is short of 1, which alone have a share in the quadratic."""
        return self._short(self.inner, self.bias)

    def _short(self, inner: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return (self.sign * (inner + bias[:, None]) < 1) & self.sign.ne(0)

    def _objective(
        self, alpha: torch.Tensor, inner: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        missing = (1 - self.sign * (inner + bias[:, None])).clamp(min=0)
        return (self.weight * missing.square()).sum(1) + self.penalty * (alpha * inner).sum(1)

    def _moved(
        self, length: torch.Tensor, alpha: torch.Tensor, inner: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        share = length[:, None]
        return (
            torch.lerp(self.alpha, alpha, share),
            torch.lerp(self.inner, inner, share),
            torch.lerp(self.bias, bias, length),
        )


def _product(block: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    return (block @ alpha[..., None])[..., 0]
