"""The concept and the image in focus: loaded once, shown by every view that wants them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from analysis.figures.data import ConceptDetail, ConceptPatch
from analysis.project import Project
from app.backend import Backend
from app.loading import Loader
from app.mirror import mirror_detail
from app.problems import Problem
from app.project_index import ImageFacts, ProjectIndex, read_image_facts
from app.session_signals import SessionSignals

_DETAIL = "concept in focus"
_IMAGE = "image in focus"


class Focus(QObject):
    """Follows the session's concept, patch and image."""

    concept_changed = Signal(object)  # ConceptDetail or None, as seen from the active pair
    image_changed = Signal(object, object)  # ImageFacts or None, ConceptPatch or None

    def __init__(
        self,
        backend: Backend,
        loader: Loader,
        session: SessionSignals,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._backend = backend
        self._loader = loader
        self._session = session
        self._project: Project | None = None
        self._index: ProjectIndex | None = None
        self.detail: ConceptDetail | None = None
        session.changed.connect(self._on_session)
        loader.failed.connect(self._on_failed)

    def set_project(self, project: Project | None) -> None:
        self._project = project

    def set_index(self, index: ProjectIndex | None) -> None:
        self._index = index

    @Slot()
    def reload(self) -> None:
        """Read the concept again: its run has new results."""
        concept = self._session.snapshot.concept
        if self._project is None or concept is None:
            self._loader.forget(_DETAIL)
            self._show_detail(None)
            return
        self._loader.load(
            _DETAIL,
            self._backend.concept_detail,
            self._project,
            concept,
            then=self._show_detail,
        )

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], _initiator: object) -> None:
        if changes & {"concept", "project", "model_a", "model_b"}:
            self.reload()
        if changes & {"image", "patch", "project"}:
            self._load_image()

    def _show_detail(self, detail: ConceptDetail | None) -> None:
        run = self._index.run(detail.run) if self._index is not None and detail else None
        if detail is not None and run is not None and run.mirrored(self._session.snapshot.model_a):
            detail = mirror_detail(detail)
        self.detail = detail
        self.concept_changed.emit(detail)
        if self._session.snapshot.image is not None:
            self._load_image()

    def _load_image(self) -> None:
        image = self._session.snapshot.image
        if self._project is None or image is None:
            self._loader.forget(_IMAGE)
            self._show_image(None)
            return
        self._loader.load(_IMAGE, read_image_facts, self._project, image, then=self._show_image)

    def _show_image(self, facts: ImageFacts | None) -> None:
        self.image_changed.emit(facts, self._patch() if facts is not None else None)

    def _patch(self) -> ConceptPatch | None:
        wanted = self._session.snapshot.patch
        if self.detail is None or wanted is None:
            return None
        patches = (*self.detail.top, *self.detail.under, *self.detail.over)
        return next((patch for patch in patches if patch.patch_id == wanted), None)

    @Slot(str, object)
    def _on_failed(self, name: str, _problem: Problem) -> None:
        if name == _DETAIL:
            self._session.update({"concept": None}, self)
        elif name == _IMAGE:
            self._show_image(None)
