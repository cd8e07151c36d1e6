"""Many lasso problems on one design at once: working sets, small Gram matrices, exact supports."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_INNER_ROUNDS = 60
_GRADIENT_STEPS = 12
_NEWTON_STEPS = 6
_FIRST_SET = 12


@dataclass(frozen=True)
class Design:
    """Standardised predictors with their folds, rows sorted so that each fold is contiguous.

    `columns` (d, n) holds one predictor a row. The training rows of fold f are all but
    `bounds[f]:bounds[f + 1]`.
    """

    columns: torch.Tensor
    bounds: tuple[int, ...]

    @property
    def folds(self) -> int:
        return len(self.bounds) - 1

    @property
    def training_rows(self) -> torch.Tensor:
        """(F,): rows each fold trains on."""
        held_out = [b - a for a, b in zip(self.bounds, self.bounds[1:], strict=False)]
        rows = [float(self.bounds[-1] - count) for count in held_out]
        return torch.tensor(rows, dtype=self.columns.dtype, device=self.columns.device)

    def training_mask(self) -> torch.Tensor:
        """(F, n): 1 where fold f trains on a row, else 0."""
        mask = self.columns.new_ones(self.folds, self.bounds[-1])
        for fold in range(self.folds):
            mask[fold, self.bounds[fold] : self.bounds[fold + 1]] = 0
        return mask

    def gram(self, chosen: torch.Tensor) -> torch.Tensor:
        """Centred training Gram matrices of the `chosen` (m,) predictors, over n: (F, m, m).

        The Gram matrix of a fold's training rows is the total less that of the fold.
        """
        part = self.columns[chosen]
        grams, sums = [], []
        for start, stop in zip(self.bounds, self.bounds[1:], strict=False):
            rows = part[:, start:stop]
            grams.append(rows @ rows.T)
            sums.append(rows.sum(1))
        held, held_sums = torch.stack(grams), torch.stack(sums)
        count = self.training_rows[:, None, None]
        means = (held_sums.sum(0) - held_sums) / count[:, :, 0]
        return (held.sum(0) - held) / count - means[:, :, None] * means[:, None, :]


@dataclass(frozen=True)
class Solutions:
    """Coefficients (F·T, d), the KKT residual (F·T,) of each, and the rounds it took."""

    coefficients: torch.Tensor
    residuals: torch.Tensor
    rounds: int


def solve(
    design: Design, targets: torch.Tensor, alpha: float, tolerance: float, max_rounds: int
) -> Solutions:
    """Minimise ‖y − Xw − b‖²/(2n) + α‖w‖₁ for every fold and target.

    A round solves every problem on its own small set of predictors, then takes in those that
    violate the optimality conditions, as celer does (Massias et al. 2018); supports are finished
    by exact solves, so the residuals reach rounding.

    :param targets: (T, n) standardised, in the row order of `design`.
    :returns: problems in the order fold-major: fold f and target t at f·T + t.
    """
    problems = _centred_targets(design, targets)
    predictors = design.columns.shape[0]
    coefficients = design.columns.new_zeros(problems.shape[0], predictors)
    fold_of = torch.arange(design.folds, device=targets.device).repeat_interleave(targets.shape[0])
    counts = design.training_rows[fold_of][:, None]
    start = (problems @ design.columns.T) / counts
    gradient = start.clone()
    residual = _kkt(gradient, coefficients, alpha)
    rounds = 0
    while rounds < max_rounds:
        open_problems = (residual > tolerance).nonzero()[:, 0]
        if open_problems.numel() == 0:
            break
        rounds += 1
        chosen = _working_sets(gradient[open_problems], coefficients[open_problems], alpha)
        union, local = torch.unique(chosen, return_inverse=True)
        grams = design.gram(union)
        solved = solve_on_gram(
            grams[fold_of[open_problems, None, None], local[:, :, None], local[:, None, :]],
            start[open_problems].gather(1, chosen),
            coefficients[open_problems].gather(1, chosen),
            alpha,
            tolerance / 4,
        )
        fresh = coefficients.new_zeros(open_problems.numel(), predictors).scatter_(
            1, chosen, solved
        )
        coefficients[open_problems] = fresh
        left = _residuals(design, problems[open_problems], fresh, union, fold_of[open_problems])
        gradient[open_problems] = (left @ design.columns.T) / counts[open_problems]
        residual = _kkt(gradient, coefficients, alpha)
    return Solutions(coefficients, residual, rounds)


def solve_on_gram(
    gram: torch.Tensor,
    correlation: torch.Tensor,
    start: torch.Tensor,
    alpha: float,
    tolerance: float,
) -> torch.Tensor:
    """Minimise ½wᵀGw − cᵀw + α‖w‖₁ for P problems at once.

    Accelerated proximal gradient steps (FISTA with restarts) find the support; semismooth Newton
    steps on it finish the problem exactly. Whichever iterate violates the optimality conditions
    less goes on.

    :param gram: (P, m, m).
    :param correlation: (P, m).
    :param start: (P, m) first guess.
    :returns: (P, m).
    """
    result = start.clone()
    members = torch.arange(gram.shape[0], device=gram.device)
    w = start
    for inner in range(_INNER_ROUNDS):
        w = _proximal_gradient(gram, correlation, w, alpha, _GRADIENT_STEPS << min(inner, 4))
        w, residual = _newton(gram, correlation, w, alpha, tolerance)
        result[members] = w
        kept = (residual > tolerance).nonzero()[:, 0]
        if kept.numel() == 0:
            break
        gram, correlation, w, members = gram[kept], correlation[kept], w[kept], members[kept]
    return result


def _proximal_gradient(
    gram: torch.Tensor, correlation: torch.Tensor, w: torch.Tensor, alpha: float, steps: int
) -> torch.Tensor:
    # Two bounds of the largest eigenvalue; the smaller gives the longer safe step.
    rows = gram.abs().sum(2).amax(1)
    size = torch.minimum(rows, torch.linalg.matrix_norm(gram)).clamp(min=1e-12)[:, None]
    threshold = alpha / size
    point = w
    speed = torch.ones_like(size)
    for _ in range(steps):
        slope = torch.bmm(gram, point[:, :, None])[:, :, 0] - correlation
        fresh = _shrink(point - slope / size, threshold)
        move = fresh - w
        restart = ((point - fresh) * move).sum(1, keepdim=True) > 0
        faster = torch.where(restart, 1.0, (1 + (1 + 4 * speed * speed).sqrt()) / 2)
        point = torch.where(restart, fresh, fresh + (speed - 1) / faster * move)
        w, speed = fresh, faster
    return w


def _newton(
    gram: torch.Tensor,
    correlation: torch.Tensor,
    w: torch.Tensor,
    alpha: float,
    tolerance: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Primal–dual active set steps from `w`; returns the best iterate and its KKT residual."""
    gradient = correlation - torch.bmm(gram, w[:, :, None])[:, :, 0]
    best, best_residual = w, _kkt(gradient, w, alpha)
    height = _objective(gradient, correlation, w, alpha)
    ceiling = height + 1e-9 * (height.abs() + 1e-3)
    for _ in range(_NEWTON_STEPS):
        if bool((best_residual <= tolerance).all()):
            break
        pull = w + gradient
        active = pull.abs() > alpha
        mask = active.to(gram.dtype)
        signs = torch.sign(pull) * mask
        w = _solve_masked(gram, (correlation - alpha * signs) * mask, mask)
        gradient = correlation - torch.bmm(gram, w[:, :, None])[:, :, 0]
        residual = _kkt(gradient, w, alpha)
        # A step on a (nearly) singular support can look optimal far away from the minimum.
        lower = _objective(gradient, correlation, w, alpha) <= ceiling
        better = (residual < best_residual) & lower
        best = torch.where(better[:, None], w, best)
        best_residual = torch.where(better, residual, best_residual)
    return best, best_residual


def _solve_masked(gram: torch.Tensor, right: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Solve each problem's system over its active predictors, the others kept at zero.

    The active predictors are moved to the front so that the systems are as small as the largest
    support. A system that is singular gives NaN, which never counts as better.
    """
    size = max(1, int(mask.sum(1).max()))
    order = mask.argsort(dim=1, descending=True, stable=True)[:, :size]
    front = mask.gather(1, order)
    small = gram.gather(1, order[:, :, None].expand(-1, -1, gram.shape[2]))
    small = small.gather(2, order[:, None, :].expand(-1, size, -1))
    small = small * front[:, :, None] * front[:, None, :] + torch.diag_embed(1 - front)
    ridge = 1e-12 if gram.dtype == torch.float64 else 1e-7
    small.diagonal(dim1=1, dim2=2).add_(ridge)
    solution = _solve_positive(small, right.gather(1, order)[:, :, None])[:, :, 0] * front
    return torch.zeros_like(right).scatter_(1, order, solution)


def _solve_positive(system: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    if system.device.type == "mps":
        return _solve_positive(system.cpu(), right.cpu()).to(right.device)
    factor, info = torch.linalg.cholesky_ex(system)
    solution = torch.cholesky_solve(right, factor)
    # Once more on the remainder: the last digits of ill-conditioned supports.
    solution = solution + torch.cholesky_solve(right - system @ solution, factor)
    return solution.masked_fill((info != 0)[:, None, None], torch.nan)


def _kkt(gradient: torch.Tensor, w: torch.Tensor, alpha: float) -> torch.Tensor:
    """The largest violation of the optimality conditions, (P,); `gradient` is Xᵀr/n."""
    used = (gradient - alpha * torch.sign(w)).abs()
    unused = (gradient.abs() - alpha).clamp(min=0)
    violation = torch.where(w != 0, used, unused)
    return violation.nan_to_num(torch.inf).amax(1)


def _objective(
    gradient: torch.Tensor, correlation: torch.Tensor, w: torch.Tensor, alpha: float
) -> torch.Tensor:
    """½wᵀGw − cᵀw + α‖w‖₁, (P,), from `gradient` = c − Gw."""
    return alpha * w.abs().sum(1) - (w * (correlation + gradient)).sum(1) / 2


def _shrink(values: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    return torch.sign(values) * (values.abs() - threshold).clamp(min=0)


def _centred_targets(design: Design, targets: torch.Tensor) -> torch.Tensor:
    """Targets centred over the training rows of each fold, zero on the others: (F·T, n)."""
    mask = design.training_mask()[:, None, :]
    held = targets[None] * mask
    means = held.sum(2, keepdim=True) / design.training_rows[:, None, None]
    return ((targets[None] - means) * mask).reshape(-1, targets.shape[1])


def _working_sets(gradient: torch.Tensor, w: torch.Tensor, alpha: float) -> torch.Tensor:
    """For every problem the predictors it uses and the worst violators: indices (P, m)."""
    used = w != 0
    supports = used.sum(1)
    violators = ((gradient.abs() > alpha) & ~used).sum(1)
    growth = torch.minimum(violators, supports.clamp(min=_FIRST_SET))
    size = min(int((supports + growth).max()), w.shape[1])
    priority = gradient.abs().masked_fill(used, torch.inf)
    return priority.topk(max(size, 1), dim=1).indices


def _residuals(
    design: Design,
    problems: torch.Tensor,
    coefficients: torch.Tensor,
    union: torch.Tensor,
    fold_of: torch.Tensor,
) -> torch.Tensor:
    """y − Xw − b on the training rows of each problem, zero elsewhere: (P, n)."""
    mask = design.training_mask()[fold_of]
    fitted = coefficients[:, union] @ design.columns[union]
    left = (problems - fitted) * mask
    return (left - left.sum(1, keepdim=True) / mask.sum(1, keepdim=True)) * mask
