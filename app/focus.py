"""The concept, the unit and the image in focus: loaded once, shown by all that want them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from analysis.figures.data import ConceptDetail, ConceptPatch
from analysis.figures.unit_data import UnitDetail, UnitPatch
from analysis.project import Project
from app.backend import Backend
from app.loading import Loader
from app.mirror import mirror_detail
from app.problems import Problem
from app.project_index import ImageFacts, ProjectIndex, read_image_facts
from app.session_signals import SessionSignals

_DETAIL = "concept in focus"
_UNIT = "unit in focus"
_IMAGE = "image in focus"
_EXAMPLE = "strongest image of the {}"


class Focus(QObject):
    """Follows the session's concept, unit, patch and image."""

    concept_changed = Signal(object)  # ConceptDetail or None, as seen from the active pair
    unit_changed = Signal(object)  # UnitDetail or None
    image_changed = Signal(object, object)  # ImageFacts or None; its patch or None
    example_changed = Signal(str, object, object)  # "concept" or "unit"; its strongest image, patch

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
        self.unit: UnitDetail | None = None
        self._strongest: dict[str, ConceptPatch | UnitPatch | None] = {}
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
        project, load = self._project, self._loader.load
        if project is None or concept is None:
            self._loader.forget(_DETAIL)
            self._show_detail(None)
            return
        within, backend = self._session.snapshot.image_slice, self._backend
        if within is None:
            load(_DETAIL, backend.concept_detail, project, concept, then=self._show_detail)
        else:
            load(_DETAIL, backend.sliced_detail, project, concept, within, then=self._show_detail)

    def reload_if(self, runs: frozenset[int]) -> None:
        """Read again what belongs to a run with new results."""
        if self.detail is not None and self.detail.run in runs:
            self.reload()
        if self.unit is not None and self.unit.run in runs:
            self.reload_unit()

    def reload_unit(self) -> None:
        """Read the unit again."""
        unit = self._session.snapshot.unit
        project, load = self._project, self._loader.load
        if project is None or unit is None:
            self._loader.forget(_UNIT)
            self._show_unit(None)
            return
        within, backend = self._session.snapshot.image_slice, self._backend
        if within is None:
            load(_UNIT, backend.unit_detail, project, unit, then=self._show_unit)
        else:
            load(_UNIT, backend.sliced_unit, project, unit, within, then=self._show_unit)

    def reload_image(self) -> None:
        """Look at the images again: they may have been found."""
        self._load_image()
        for subject, patch in tuple(self._strongest.items()):
            self._load_example(subject, patch)

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], _initiator: object) -> None:
        if changes & {"concept", "project", "model_a", "model_b", "image_slice"}:
            self.reload()
        if changes & {"unit", "project", "image_slice"}:
            self.reload_unit()
        if changes & {"image", "patch", "project"}:
            self._load_image()

    def _show_detail(self, detail: ConceptDetail | None) -> None:
        run = self._index.run(detail.run) if self._index is not None and detail else None
        if detail is not None and run is not None and run.mirrored(self._session.snapshot.model_a):
            detail = mirror_detail(detail)
        self.detail = detail
        self.concept_changed.emit(detail)
        self._load_example("concept", detail.top[0] if detail is not None and detail.top else None)
        if self._session.snapshot.image is not None:
            self._load_image()

    def _show_unit(self, detail: UnitDetail | None) -> None:
        self.unit = detail
        self.unit_changed.emit(detail)
        patches = detail.patches if detail is not None else ()
        self._load_example("unit", patches[0] if patches else None)
        if self._session.snapshot.image is not None:
            self._load_image()

    def _load_image(self) -> None:
        image = self._session.snapshot.image
        if self._project is None or image is None:
            self._loader.forget(_IMAGE)
            self._show_image(None)
            return
        self._loader.load(_IMAGE, read_image_facts, self._project, image, then=self._show_image)

    def _load_example(self, subject: str, patch: ConceptPatch | UnitPatch | None) -> None:
        """What the concept or the unit is strongest in: to be seen while no image is in focus."""
        name = _EXAMPLE.format(subject)
        self._strongest[subject] = patch
        if self._project is None or patch is None:
            self._loader.forget(name)
            self.example_changed.emit(subject, None, None)
            return
        then = self._show_concept_example if subject == "concept" else self._show_unit_example
        self._loader.load(name, read_image_facts, self._project, patch.image, then=then)

    def _show_concept_example(self, facts: ImageFacts | None) -> None:
        self.example_changed.emit("concept", facts, self._strongest["concept"])

    def _show_unit_example(self, facts: ImageFacts | None) -> None:
        self.example_changed.emit("unit", facts, self._strongest["unit"])

    def _show_image(self, facts: ImageFacts | None) -> None:
        self.image_changed.emit(facts, self._patch() if facts is not None else None)

    def patch_id(self) -> int | None:
        """The patch in focus: of a concept, or of a unit."""
        patch = self._patch()
        return patch.patch_id if patch is not None else None

    def _patch(self) -> ConceptPatch | UnitPatch | None:
        """The concept's patch in focus; without one, where the unit is active in the image."""
        now = self._session.snapshot
        wanted = now.patch
        if wanted is None and self.unit is not None:
            return next((p for p in self.unit.patches if p.image == now.image), None)
        if self.detail is None or wanted is None:
            return None
        patches = (*self.detail.top, *self.detail.under, *self.detail.over)
        return next((patch for patch in patches if patch.patch_id == wanted), None)

    @Slot(str, object)
    def _on_failed(self, name: str, _problem: Problem) -> None:
        if name == _DETAIL:
            self._session.update({"concept": None}, self)
        elif name == _UNIT:
            self._session.update({"unit": None}, self)
        elif name == _IMAGE:
            self._show_image(None)
