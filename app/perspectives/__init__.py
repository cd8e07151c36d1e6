"""Perspectives: layouts of linked views, and the presenters that bring them their data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.perspectives.base import Presenter
from app.perspectives.concepts import ConceptsPresenter
from app.perspectives.embedding import EmbeddingPresenter
from app.perspectives.layers import LayersPresenter
from app.perspectives.report import ReportPresenter
from app.perspectives.saliency import SaliencyPresenter
from app.perspectives.semantics import SemanticsPresenter
from app.perspectives.units import UnitsPresenter
from app.perspectives.welcome import WelcomePresenter
from app.workspace import Workspace

__all__ = ["PERSPECTIVES", "Perspective", "Presenter", "make_presenter", "perspective_of"]


@dataclass(frozen=True)
class Perspective:
    """One tab of the window."""

    id: str
    title: str
    make: Callable[[Workspace], Presenter]
    uses_layers: bool = False  # whether classes and layers of the pair are chosen above it
    audits: tuple[str, ...] = ()  # whose results it shows; the first is the one to run from here


PERSPECTIVES: list[Perspective] = [
    Perspective("welcome", "Welcome", WelcomePresenter),
    Perspective(
        "embedding",
        "Embedding",
        EmbeddingPresenter,
        audits=("embedding", "evaluation"),
    ),
    Perspective("layers", "Layers", LayersPresenter, uses_layers=True, audits=("layers",)),
    Perspective("concepts", "Concepts", ConceptsPresenter, uses_layers=True, audits=("concepts",)),
    Perspective("units", "Units", UnitsPresenter, audits=("dissection",)),
    Perspective("saliency", "Saliency", SaliencyPresenter, audits=("saliency",)),
    Perspective(
        "semantics", "Semantics", SemanticsPresenter, uses_layers=True, audits=("semantics",)
    ),
    Perspective("report", "Report", ReportPresenter),
]


def make_presenter(perspective: Perspective, workspace: Workspace) -> Presenter:
    """The presenter of a perspective, named after it."""
    presenter = perspective.make(workspace)
    presenter.setObjectName(perspective.id)
    return presenter


def perspective_of(audit: str) -> str | None:
    """The perspective that shows an audit's results."""
    return next((p.id for p in PERSPECTIVES if audit in p.audits), None)
