"""What recent projects looked like when they were closed: small pictures in the cache folder.

A picture is named after a hash of the project's path, and kept while the project is listed. Nothing
of it is written into a project; what lies in the folder is not trusted when it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, Slot
from PySide6.QtGui import QImage, QImageReader

from app import settings

if TYPE_CHECKING:
    from app.main_window import MainWindow

logger = logging.getLogger(__name__)

LARGEST = QSize(336, 210)
"""Pixels of a kept picture."""
_MOST_BYTES = 400_000
_FOLDER = "recent pictures"


def picture_file(project: Path) -> Path:
    """Where the picture of a project lies, if there is one."""
    from analysis.audits.feature_cache import cache_folder

    name = hashlib.sha256(os.fsencode(project.absolute())).hexdigest()[:32]
    return cache_folder() / _FOLDER / f"{name}.png"


def keep_picture(project: Path, image: QImage, listed: Sequence[Path]) -> None:
    """Write a small picture of a project; those of projects that are no longer listed go.

    Raises OSError when that cannot be written.
    """
    if image.isNull():
        return
    ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    small = image.convertToFormat(QImage.Format.Format_RGB32).scaled(LARGEST, *ways)
    small.setDevicePixelRatio(1.0)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not small.save(buffer, "PNG") or data.size() > _MOST_BYTES:  # type: ignore[call-overload]
        return
    file = picture_file(project)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".new", delete=False) as written:
        written.write(data.data())
    try:
        os.replace(written.name, file)
    except OSError:
        Path(written.name).unlink(missing_ok=True)
        raise
    _remove_all_but({picture_file(one) for one in (project, *listed)})


def forget_picture(project: Path) -> None:
    """Remove the picture of a project that is no longer listed."""
    with contextlib.suppress(OSError):
        picture_file(project).unlink(missing_ok=True)


def read_pictures(projects: Sequence[Path]) -> Mapping[Path, QImage]:
    """The pictures of projects that have one; a file that is not such a picture does not count."""
    found = ((project, _read(picture_file(project))) for project in projects)
    return {project: image for project, image in found if image is not None}


def _read(file: Path) -> QImage | None:
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(file, flags), "rb") as opened:
            about = os.fstat(opened.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST_BYTES:
                return None
            data = QByteArray(opened.read(_MOST_BYTES))
    except OSError:
        return None
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, b"png")  # type: ignore[call-overload]
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if not size.isValid() or size.width() > LARGEST.width() or size.height() > LARGEST.height():
        return None
    image = reader.read()
    return None if image.isNull() else image.convertToFormat(QImage.Format.Format_RGB32)


def _remove_all_but(kept: set[Path]) -> None:
    folder = next(iter(kept)).parent
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file not in kept:
                with contextlib.suppress(OSError):
                    file.unlink()


class RecentPictures(QObject):
    """Keeps a picture of the view in front, or of the last one, when a project is closed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._last = ""
        window.tabs.currentChanged.connect(self._on_tab)
        window.workspace.project_closing.connect(self.keep)
        window.workspace.project_changed.connect(self._on_project)

    @Slot()
    def _on_project(self) -> None:
        self._last = ""
        self._on_tab()

    @Slot()
    def _on_tab(self) -> None:
        if self._window.perspective != "welcome":
            self._last = self._window.perspective

    @Slot()
    def keep(self) -> None:
        """Take the picture now. A view without results gives none: the one before stays."""
        project = self._window.workspace.project
        presenter = self._window.presenters.get(self._last)
        if project is None or presenter is None or not presenter.shows_view:
            return
        picture = presenter.widget.grab().toImage()
        try:
            keep_picture(Path(project.path), picture, settings.listed_projects())
        except OSError:
            logger.warning("The picture of a project could not be kept", exc_info=True)
