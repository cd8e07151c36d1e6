"""Signs and words of findings, and what a finding could be called. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.figures.data import ConceptDetail
from analysis.figures.report_findings import VERDICT_SIGNS
from analysis.figures.unit_data import UnitDetail
from analysis.figures.words import count, interval
from analysis.project.findings import LONGEST_TITLE
from app.project_index import ImageFacts
from app.session import Snapshot
from app.words import concept_title, unit_title


@dataclass(frozen=True)
class VerdictLook:
    """The sign of a verdict, its colours as text on light and on dark, and what it says."""

    sign: str
    light: str
    dark: str
    meaning: str


VERDICT_LOOKS: Mapping[str, VerdictLook] = {
    "expected": VerdictLook(VERDICT_SIGNS["expected"], "#3A6A2A", "#9CCB86", "as it should be"),
    "suspicious": VerdictLook(
        VERDICT_SIGNS["suspicious"], "#8A4B00", "#F0B86A", "may rest on something wrong"
    ),
    "spurious": VerdictLook(
        VERDICT_SIGNS["spurious"], "#A3243B", "#FF94A6", "rests on something that it should not"
    ),
    "needs review": VerdictLook(
        VERDICT_SIGNS["needs review"], "#59616A", "#A6AFB9", "somebody should look at it"
    ),
}
SEVERITY_SIGNS: Mapping[str, str] = {"low": "▁", "medium": "▃", "high": "▆"}


def verdict_text(verdict: str) -> str:
    """A verdict with its sign."""
    look = VERDICT_LOOKS.get(verdict)
    return f"{look.sign} {verdict}" if look is not None else verdict


def severity_text(severity: str) -> str:
    """A severity with its sign."""
    sign = SEVERITY_SIGNS.get(severity)
    return f"{sign} {severity}" if sign is not None else severity


@dataclass(frozen=True)
class InFocus:
    """What the window has in focus."""

    snapshot: Snapshot
    concept: ConceptDetail | None = None
    unit: UnitDetail | None = None
    image: ImageFacts | None = None


def suggested_title(perspective: str, title: str, focus: InFocus) -> str:
    """What a finding made in a perspective is about, in plain words."""
    now = focus.snapshot
    words = ""
    if perspective == "concepts" and focus.concept is not None:
        words = _concept_words(focus.concept)
    elif perspective == "units" and focus.unit is not None:
        unit = focus.unit
        words = f"{unit_title(unit)}: unit {unit.unit} of {unit.model}, layer {unit.layer}"
    elif perspective == "layers" and now.layer_a and now.layer_b:
        words = f"{now.layer_a} of {now.model_a} and {now.layer_b} of {now.model_b}"
    elif perspective == "embedding" and now.models:
        words = _models_words(now.models)
    elif perspective == "saliency" and focus.image is not None:
        method = f", {now.saliency_method}" if now.saliency_method else ""
        words = f"Where models look in {focus.image.path}{method}"
    elif perspective == "semantics" and now.model_a and now.model_b:
        about = f"“{now.semantic_concept}” in" if now.semantic_concept else "Semantics of"
        words = f"{about} {now.model_a} and {now.model_b}"
    return (words or title)[:LONGEST_TITLE]


def _concept_words(detail: ConceptDetail) -> str:
    value = interval(detail.cmcs_pearson, detail.ci_low, detail.ci_high)
    return f"{concept_title(detail)}: CMCS {value} by {detail.predictor_model}"


def _models_words(models: tuple[str, ...]) -> str:
    if len(models) > 3:
        return f"{count(len(models), 'model')} in the embedding"
    return f"{', '.join(models)} in the embedding"
