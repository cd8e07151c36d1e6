from __future__ import annotations

import io
import shutil

import pytest
from PIL import Image

from analysis.project import Project
from app.thumbnails import ThumbnailProvider

WAIT = 10_000


@pytest.fixture
def provider(qtbot, lane) -> ThumbnailProvider:
    return ThumbnailProvider(lane)


@pytest.fixture
def project(project_file):
    with Project.open(project_file) as opened:
        yield opened


def ask(qtbot, provider: ThumbnailProvider, image: int, box, size: int):
    pixmap = provider.request(image, box, size)
    if pixmap is None:
        with qtbot.waitSignal(provider.ready, timeout=WAIT) as caught:
            pass
        assert caught.args == [image]
        pixmap = provider.request(image, box, size)
    return pixmap


def store_thumbnail(project: Project, image: int, colour: str, size=(30, 20)) -> None:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "WEBP", quality=90)
    project.add_thumbnails([(image, *size, data.getvalue())])


def test_whole_image_and_crop_come_from_the_file(qtbot, provider, project) -> None:
    provider.set_project(project)
    whole = ask(qtbot, provider, 1, None, 64)
    assert (whole.width(), whole.height()) == (60, 40)
    crop = ask(qtbot, provider, 1, (10, 5, 20, 30), 64)
    assert (crop.width(), crop.height()) == (20, 30)
    small = ask(qtbot, provider, 1, None, 30)
    assert (small.width(), small.height()) == (30, 20)
    assert provider.path(1).name == "0.png"


def test_an_answer_is_kept(qtbot, provider, project) -> None:
    provider.set_project(project)
    first = ask(qtbot, provider, 1, None, 64)
    assert provider.request(1, None, 64).cacheKey() == first.cacheKey()


def test_without_the_files_the_stored_thumbnail_serves(qtbot, provider, project) -> None:
    store_thumbnail(project, 1, "blue")
    shutil.rmtree(project.path.parent / "pictures")
    provider.set_project(project)
    whole = ask(qtbot, provider, 1, None, 200)
    assert (whole.width(), whole.height()) == (30, 20)
    crop = ask(qtbot, provider, 1, (0, 0, 20, 20), 200)  # in pixels of the 60 × 40 original
    assert (crop.width(), crop.height()) == (10, 10)
    assert crop.toImage().pixelColor(5, 5).blue() > 200
    assert provider.path(1) is None


def test_missing_damaged_and_unknown_images_end_as_missing(qtbot, provider, project) -> None:
    (project.path.parent / "pictures" / "bird" / "0.png").write_bytes(b"no picture")
    provider.set_project(project)
    assert ask(qtbot, provider, 1, None, 64) is None
    assert ask(qtbot, provider, 9999, None, 64) is None
    assert provider.request(1, None, 64) is None  # known by now: nothing is queued again
    assert not provider._waiting


@pytest.mark.parametrize(
    "box", [(1000, 1000, 5, 5), (-50, -50, 10, 10), (0, 0, 0, 0), (-5, -5, 500, 500)]
)
def test_boxes_outside_of_the_image_do_no_harm(qtbot, provider, project, box) -> None:
    provider.set_project(project)
    pixmap = ask(qtbot, provider, 1, box, 64)
    assert pixmap is None or max(pixmap.width(), pixmap.height()) <= 64


def test_many_wishes_are_answered_and_closing_forgets_them(qtbot, provider, project, lane) -> None:
    provider.set_project(project)
    boxes = [(x, 0, 10, 10) for x in range(45)]
    for box in boxes:
        for image in range(1, 7):
            provider.request(image, box, 16)
    qtbot.waitUntil(
        lambda: all(provider.request(6, box, 16) is not None for box in boxes), timeout=WAIT
    )
    provider.request(1, (0, 0, 9, 9), 16)
    provider.set_project(None)
    assert provider.request(1, None, 64) is None
    qtbot.waitUntil(lambda: not lane.busy, timeout=WAIT)
