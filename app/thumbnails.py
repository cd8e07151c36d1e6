"""Pictures of the project's images: cut from the stored thumbnail, or from the file if it must be.

Decoding happens in a lane of its own, the newest wishes first; pixmaps are made and kept in the
window's thread. The thumbnails are in the project file, so a project shows its patches even where
the images are missing.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QImageReader, QPixmap

from analysis.errors import AuditError
from analysis.project import Project
from app.lanes import JobControl, Lane
from app.project_index import read_image_facts
from app.widgets.image_source import Box, PixmapCache

Key = tuple[int, Box | None, int]

_BATCH = 24
_MOST_WAITING = 4000
_SHARP_ENOUGH = 0.8  # part of the wanted side below which the original file is read
_MEGABYTES_DECODED = 1024


class ThumbnailProvider(QObject):
    """The `ImageSource` of the window."""

    ready = Signal(int)

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._project: Project | None = None
        self._cache = PixmapCache()
        self._missing: set[Key] = set()
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        self._in_hand: set[Key] = set()
        self._job: int | None = None
        lane.partial.connect(self._on_picture)
        lane.succeeded.connect(self._on_batch_done)
        lane.failed.connect(self._on_batch_done)

    def set_project(self, project: Project | None) -> None:
        """Show the images of another project; wishes for the old one are dropped."""
        if self._job is not None:
            self._lane.forget(self._job)
            self._job = None
        self._project = project
        self._cache.clear()
        self._missing.clear()
        self._waiting.clear()
        self._in_hand.clear()

    def request(self, image_id: int, box: Box | None, size: int) -> QPixmap | None:
        """See `ImageSource.request`."""
        key = (int(image_id), _plain_box(box), int(size))
        pixmap = self._cache.get(key)
        if pixmap is not None or key in self._missing or self._project is None:
            return pixmap
        if key not in self._in_hand:
            self._waiting[key] = None
            self._waiting.move_to_end(key)
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            self._start()
        return None

    def pending(self, image_id: int, box: Box | None, size: int) -> bool:
        """Whether a picture that was asked for is still being read."""
        key = (int(image_id), _plain_box(box), int(size))
        return key in self._waiting or key in self._in_hand

    def look_again(self) -> None:
        """Ask anew for what was not there: the images may have been found."""
        self._cache.clear()
        missing, self._missing = self._missing, set()
        for image in {key[0] for key in missing}:
            self.ready.emit(image)

    def path(self, image_id: int) -> Path | None:
        """See `ImageSource.path`."""
        if self._project is None:
            return None
        try:
            return self._project.resolve_image(image_id)
        except AuditError:
            return None

    def _start(self) -> None:
        if self._job is not None or not self._waiting or self._project is None:
            return
        if self._lane.closing:
            return
        keys = [self._waiting.popitem()[0] for _ in range(min(_BATCH, len(self._waiting)))]
        self._in_hand.update(keys)
        work = partial(_cut_pictures, self._project, tuple(keys))
        self._job = self._lane.submit("pictures", work)

    @Slot(object, object)
    def _on_picture(self, number: int, value: object) -> None:
        if number != self._job or not isinstance(value, tuple):
            return
        key, picture = value
        self._in_hand.discard(key)
        if picture is None:
            self._missing.add(key)
        else:
            self._cache.put(key, QPixmap.fromImage(picture))
        self.ready.emit(key[0])

    @Slot(object, object)
    def _on_batch_done(self, number: int, _result: object) -> None:
        if number != self._job:
            return
        self._job = None
        unanswered, self._in_hand = self._in_hand, set()
        self._missing.update(unanswered)
        for key in unanswered:
            self.ready.emit(key[0])
        self._start()


def _plain_box(box: Box | None) -> Box | None:
    if box is None:
        return None
    x, y, width, height = (int(value) for value in box)
    return x, y, width, height


def _cut_pictures(project: Project, keys: tuple[Key, ...], control: JobControl) -> None:
    by_image: dict[int, list[Key]] = {}
    for key in keys:
        by_image.setdefault(key[0], []).append(key)
    for image, wishes in by_image.items():
        control.progress.check_cancelled()
        pictures = _Pictures(project, image)
        for key in wishes:
            control.emit_partial((key, pictures.cut(key[1], key[2])))


class _Pictures:
    """The stored thumbnail and, if needed, the decoded file of one image."""

    def __init__(self, project: Project, image: int) -> None:
        self._project = project
        self.facts = read_image_facts(project, image)
        self._thumbnail = _read_thumbnail(project, image)
        self._original: QImage | None = None
        self._file_read = False

    def cut(self, box: Box | None, size: int) -> QImage | None:
        """The box (or all) of the image, its longer side at most `size` pixels."""
        if self.facts is None or size <= 0:
            return None
        rough = self._crop(self._thumbnail, box)
        wanted = min(size, self._side_in_file(box)) * _SHARP_ENOUGH
        if rough is None or max(rough.width(), rough.height()) < wanted:
            rough = self._crop(self._read_file(), box) or rough
        return _fit(rough, size) if rough is not None else None

    def _side_in_file(self, box: Box | None) -> int:
        assert self.facts is not None
        return max(box[2], box[3]) if box else max(self.facts.width, self.facts.height)

    def _crop(self, picture: QImage | None, box: Box | None) -> QImage | None:
        assert self.facts is not None
        if picture is None or box is None or not self.facts.width or not self.facts.height:
            return picture
        x_scale = picture.width() / self.facts.width
        y_scale = picture.height() / self.facts.height
        x, y, width, height = box
        left, top = round(x * x_scale), round(y * y_scale)
        right, bottom = round((x + width) * x_scale), round((y + height) * y_scale)
        area = QRect(left, top, max(1, right - left), max(1, bottom - top))
        area = area.intersected(picture.rect())
        return picture.copy(area) if not area.isEmpty() else None

    def _read_file(self) -> QImage | None:
        if not self._file_read and self.facts is not None:
            self._file_read = True
            file = self._project.resolve_image(self.facts.id)
            self._original = _read_image(file) if file is not None else None
        return self._original


def _read_thumbnail(project: Project, image: int) -> QImage | None:
    stored = project.thumbnail(image)
    picture = QImage.fromData(stored.data) if stored is not None else None
    return picture if picture is not None and not picture.isNull() else None


def _read_image(path: Path) -> QImage | None:
    QImageReader.setAllocationLimit(_MEGABYTES_DECODED)
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    picture = reader.read()
    return None if picture.isNull() else picture


def _fit(picture: QImage, size: int) -> QImage:
    if max(picture.width(), picture.height()) <= size:
        return picture
    return picture.scaled(
        QSize(size, size),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
