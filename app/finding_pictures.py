"""Pictures of findings: made into files and small ones in the store lane. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage

from analysis.project import Project
from analysis.project.findings import Finding, FindingPicture
from app import reversible
from app.undo import Edited

_LONGEST_SIDE = 8000
_MOST_BYTES = 8 * 2**20
_SHRINK = 0.7
_TRIES = 12


def encode(image: QImage) -> FindingPicture | None:
    """The picture as a PNG that a project takes: of its own size unless it would be too large."""
    shown = image.convertToFormat(QImage.Format.Format_RGB32)
    longest = max(shown.width(), shown.height())
    if longest > _LONGEST_SIDE:
        shown = _scaled(shown, _LONGEST_SIDE / longest)
    for _ in range(_TRIES):
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if shown.isNull() or not shown.save(buffer, "PNG"):  # type: ignore[call-overload]
            return None
        if data.size() <= _MOST_BYTES:
            return FindingPicture(shown.width(), shown.height(), bytes(data.data()))
        shown = _scaled(shown, _SHRINK)
    return None


def record(finding: Finding, image: QImage | None, project: Project) -> Edited:
    """Write a finding with what the window showed; a step of `app.undo`."""
    picture = None if image is None or image.isNull() else encode(image)
    return reversible.add_finding(finding, picture, project)


def read_picture(project: Project, number: int, most: QSize) -> QImage:
    """A finding's picture, no larger than `most`; empty where there is none."""
    picture = project.finding_picture(number)
    image = QImage() if picture is None else QImage.fromData(picture.data)
    if image.isNull() or (image.width() <= most.width() and image.height() <= most.height()):
        return image
    ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(most, *ways)


def read_pictures(project: Project, numbers: Sequence[int], most: QSize) -> Mapping[int, QImage]:
    """Small pictures of findings, by their ids."""
    return {number: read_picture(project, number, most) for number in numbers}


def _scaled(image: QImage, factor: float) -> QImage:
    size = QSize(max(1, round(image.width() * factor)), max(1, round(image.height() * factor)))
    ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(size, *ways)
