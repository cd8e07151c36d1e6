"""The slice that views are narrowed to, with its images: loaded once, shown by all."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from analysis.project import Project
from app.backend import Backend
from app.loading import Loader
from app.project_index import ProjectIndex, SliceEntry
from app.session_signals import SessionSignals

_LOAD = "images of the slice"


class SliceFocus(QObject):
    """Follows the session's slice; one that is removed is no longer followed.

    `images`: ids of the slice's images; None: all images, or they are still being read.
    """

    changed = Signal(object)  # SliceEntry or None, once its images are known

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
        self.images: frozenset[int] | None = None
        session.changed.connect(self._on_session)

    @property
    def entry(self) -> SliceEntry | None:
        """The slice shown, None for all images."""
        number = self._session.snapshot.image_slice
        return self._index.image_slice(number) if self._index is not None else None

    def set_project(self, project: Project | None) -> None:
        self._project = project

    def set_index(self, index: ProjectIndex | None) -> None:
        """Take the project's lists; a slice that is gone gives way to all images."""
        before, self._index = self.entry, index
        number = self._session.snapshot.image_slice
        if index is None or number is None:
            return
        if self.entry is None:
            self._session.update({"image_slice": None}, self)
        elif before != self.entry:
            self._load()

    @Slot(object, object)
    def _on_session(self, changes: frozenset[str], _initiator: object) -> None:
        if changes & {"image_slice", "project"}:
            self._load()

    def _load(self) -> None:
        number = self._session.snapshot.image_slice
        self.images = None
        if number is None or self._project is None:
            self._loader.forget(_LOAD)
            self.changed.emit(None)
            return
        read = self._backend.slice_images
        self._loader.load(_LOAD, read, self._project, number, then=self._show)

    def _show(self, images: frozenset[int]) -> None:
        self.images = images
        self.changed.emit(self.entry)
