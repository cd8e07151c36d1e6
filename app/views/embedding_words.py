"""What the embedding's numbers mean, in sentences. No Qt here."""

from __future__ import annotations

import math

import numpy as np

from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    PerformanceSurface,
    Stability,
)
from analysis.figures.words import count, number
from app.widgets.category_marks import category_word
from app.widgets.group_marks import group_mark

BOOTSTRAP = "unit bootstrap"
SECTIONS = {
    BOOTSTRAP: "Units drawn anew: do the groups stay?",
    "leave one out": "One model left out: do the groups agree?",
    "iou threshold": "Another IoU threshold: do the groups agree?",
}


def percent(share: float, digits: int = 1) -> str:
    """A share of the whole as '17.7 %'."""
    return f"{number(100 * share, digits)} %"


def component_name(component: int) -> str:
    """The name of a component, counted from 1."""
    return f"PC{component}"


def axis_title(points: EmbeddingPoints, component: int) -> str:
    """A component with how much it explains, and how much it would by chance."""
    name = component_name(component)
    place = component - 1
    if place >= len(points.explained_variance):
        return name
    explained, null = float(points.explained_variance[place]), float(points.null_95[place])
    if not math.isfinite(explained):
        return name
    chance = f" (chance {percent(null)})" if math.isfinite(null) else ""
    return f"{name} · {percent(explained)}{chance}"


def point_line(points: EmbeddingPoints, model: str) -> str:
    """One model: its group and where it lies, with standard errors."""
    at = points.models.index(model)
    parts = [f"group {points.group[at]}"] if points.group[at] else []
    if not points.fitted[at]:
        parts.append("only projected")
    for place, value in enumerate(points.points[at].tolist()):
        variance = float(points.covariance[at, place, place])
        error = f" ± {number(math.sqrt(variance))}" if variance > 0 else ""
        parts.append(f"{component_name(place + 1)} {number(value)}{error}")
    return f"{model}: {', '.join(parts)}"


def beating_chance(points: EmbeddingPoints) -> list[int]:
    """The components, counted from 1, that explain more than 95 % of random tables."""
    with np.errstate(invalid="ignore"):
        beaten = points.explained_variance > points.null_95
    return [place + 1 for place in np.flatnonzero(beaten).tolist()]


def concept_shares(loadings: EmbeddingLoadings) -> np.ndarray:
    """(components, concepts) the part of each component that each concept carries: the squared
    loading over the sum of all, 0…1; NaN for a component without loadings."""
    squared = np.nan_to_num(loadings.loadings) ** 2
    total = squared.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, squared / total, np.nan)


def trust_line(
    points: EmbeddingPoints | None,
    loadings: EmbeddingLoadings | None,
    stability: Stability | None,
) -> str:
    """How far to trust the embedding, in one line."""
    if points is None or not points.models:
        return ""
    parts = [_models_part(points), _components_part(points)]
    if stability is not None:
        kept = stability.agreement[stability.kind == BOOTSTRAP]
        kept = kept[np.isfinite(kept)]
        if kept.size:
            parts.append(f"{percent(float(kept.mean()), 0)} of bootstrap draws keep the groups.")
    if loadings is not None and loadings.concepts:
        shares = concept_shares(loadings)[0]
        if np.isfinite(shares).any():
            at = int(np.nanargmax(shares))
            what = f"{loadings.concepts[at]} ({category_word(loadings.categories[at])})"
            parts.append(f"{what} alone carries {percent(float(shares[at]), 0)} of PC1.")
    return "How far to trust this: " + " ".join(part for part in parts if part)


def _models_part(points: EmbeddingPoints) -> str:
    projected = int((~points.fitted).sum())
    text = count(len(points.models) - projected, "model")
    return f"{text} and {projected:,} projected." if projected else f"{text}."


def _components_part(points: EmbeddingPoints) -> str:
    components = len(points.explained_variance)
    if not np.isfinite(points.null_95).any():
        return "What chance would explain was not drawn."
    beating = beating_chance(points)
    if not beating:
        return f"None of {count(components, 'component')} beats chance."
    names = ", ".join(component_name(c) for c in beating)
    verb = "beats" if len(beating) == 1 else "beat"
    return f"{len(beating)} of {count(components, 'component')} {verb} chance ({names})."


def legend(points: EmbeddingPoints, has_ellipses: bool) -> str:
    """The marks of the groups as rich text; it holds no names, so nothing needs escaping."""
    parts = []
    for letter in sorted(set(points.group) - {""}):
        mark, models = group_mark(letter), points.group.count(letter)
        sign = f'<span style="color:{mark.colour}">{mark.sign}</span>'
        parts.append(f"{sign} group {letter} ({models})")
    if not points.fitted.all():
        parts.append("○ hollow: only projected")
    if has_ellipses:
        parts.append("ellipses: 95 % of draws of the units")
    return "&nbsp;&nbsp; ".join(parts)


def surface_legend(surface: PerformanceSurface) -> str:
    """How the colours behind the points came about, as plain text."""
    models = count(len(surface.models), "model")
    return (
        f"Ground: {surface.task}, regressed on the {surface.neighbours} nearest of {models} (k-NN)."
    )


def correlation_line(data: CorrelationMatrix, row: str, component: int) -> str:
    """One correlation with what it takes to believe it."""
    at = (data.rows.index(row), component - 1)
    who = f"{row} with {component_name(component)}"
    r, n = float(data.r[at]), int(data.n[at])
    if not math.isfinite(r):
        return f"{who}: no correlation, {count(n, 'model')} with both."
    adjusted = float(data.p_adjusted[at])
    verdict = "" if survives(data)[at] else ", does not survive correction"
    return (
        f"{who}: r {number(r)}, p {p_value(float(data.p[at]))}, "
        f"adjusted {p_value(adjusted)}{verdict}, {count(n, 'model')}"
    )


def survives(data: CorrelationMatrix) -> np.ndarray:
    """(rows, components) bool: adjusted p below 0.05."""
    with np.errstate(invalid="ignore"):
        return np.asarray(data.p_adjusted < 0.05)


def p_value(p: float) -> str:
    """A p value with two significant digits."""
    if not math.isfinite(p):
        return "not computed"
    if p < 0.001:
        return "< 0.001"
    return number(p, 3 if p < 0.1 else 2)


def correlation_note(data: CorrelationMatrix) -> str:
    """How many correlations count."""
    kept, there = int(survives(data).sum()), int(np.isfinite(data.r).sum())
    if not there:
        return ""
    many = count(there, "correlation")
    return (
        f"{kept} of {many} survive correction (Benjamini–Hochberg, 5 %); the others are grey and"
        " hatched."
    )


def gain_line(data: EnsembleGains, first: str, second: str) -> str:
    """The ensemble of two models, or one model's own performance; gains in percentage points."""
    i, j = data.models.index(first), data.models.index(second)
    own = [f"{percent(float(data.performance[k]))}" for k in (i, j)]
    if i == j:
        return f"{first}: {own[0]} in {data.task}"
    gain, low, high = (float(a[i, j]) for a in (data.gain, data.ci_low, data.ci_high))
    if not math.isfinite(gain):
        return f"{first} with {second}: not computed."
    span = f" [{_signed(low)}, {_signed(high)}]" if math.isfinite(low) else ""
    verdict = "" if gains_count(data)[i, j] else "; 0 is within the interval"
    return (
        f"{first} ({own[0]}) with {second} ({own[1]}): {_signed(gain)}{span} points over the better"
        f" one{verdict}"
    )


def gains_count(data: EnsembleGains) -> np.ndarray:
    """(models, models) bool: gains or losses whose interval does not hold 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray((data.ci_low > 0) | (data.ci_high < 0))


def _signed(share: float) -> str:
    text = number(100 * share, 1)
    return text if text.startswith("−") or text == "0.0" else f"+{text}"


def counts_note(data: ConceptCounts) -> str:
    """What Fig. 6 says in words."""
    what = f"{data.concept} ({category_word(data.category)})"
    if not math.isfinite(data.r):
        return f"Units of each model that know {what}; their number does not vary."
    return (
        f"Units of each model that know {what}: r {number(data.r)} with "
        f"{component_name(data.component)}, {count(len(data.models), 'model')}."
    )


def choice_note(data: GroupChoice) -> str:
    """What elbow and silhouette say about the number of groups."""
    there = np.isfinite(data.silhouette)
    text = f"{count(data.chosen, 'group')} chosen (★)." if data.chosen else "No groups were chosen."
    if there.any():
        best = int(data.k[int(np.nanargmax(data.silhouette))])
        value = number(float(np.nanmax(data.silhouette)))
        agrees = "also" if best == data.chosen else "by itself"
        text += f" The silhouette {agrees} prefers {best} ({value})."
    return text


def stability_label(kind: str, setting: str) -> str:
    """One change, as the stability figure names it."""
    return f"IoU > {setting}" if kind == "iou threshold" else setting
