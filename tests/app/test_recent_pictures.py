"""What recent projects looked like: kept when they close, shown on the first page, not trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from app import recent_pictures, settings
from app.recent_pictures import LARGEST, forget_picture, keep_picture, picture_file, read_pictures
from tests.app.steps import until


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PARALLAX_CACHE", str(folder))
    return folder


def view(width: int = 1200, height: int = 700) -> QImage:
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(QColor("#0072b2"))
    return image


def test_a_picture_is_small_and_comes_back(tmp_path, cache) -> None:
    project = tmp_path / "birds.parallax"
    keep_picture(project, view(), [project])
    found = read_pictures([project, tmp_path / "other.parallax"])
    assert list(found) == [project]
    assert found[project].width() == LARGEST.width()
    assert found[project].pixelColor(9, 9) == QColor("#0072b2")
    (file,) = [one for one in cache.rglob("*") if one.is_file()]
    assert file == picture_file(project)
    assert "birds" not in file.name
    forget_picture(project)
    forget_picture(project)
    assert not file.exists()


def test_no_more_are_kept_than_projects_are_listed(tmp_path, cache) -> None:
    projects = [tmp_path / f"{number}.parallax" for number in range(4)]
    for project in projects:
        keep_picture(project, view(), projects)
    keep_picture(projects[3], view(), projects[2:])
    assert set(read_pictures(projects)) == set(projects[2:])
    keep_picture(projects[0], QImage(), projects)  # nothing was seen: nothing is written
    assert projects[0] not in read_pictures(projects)


@pytest.mark.parametrize("kind", ["text", "huge", "other format", "wide", "link", "folder", "pipe"])
def test_what_lies_in_the_folder_is_not_trusted(tmp_path, kind) -> None:
    project = tmp_path / "birds.parallax"
    file = picture_file(project)
    file.parent.mkdir(parents=True)
    whole = tmp_path / "whole.png"
    assert view(40, 30).save(str(whole))
    if kind == "text":
        file.write_text("<svg/>")
    elif kind == "huge":
        file.write_bytes(whole.read_bytes() + bytes(500_000))
    elif kind == "other format":
        assert view(40, 30).save(str(file), "BMP")
    elif kind == "wide":
        assert view(3000, 3).save(str(file))
    elif kind == "link":
        file.symlink_to(whole)
    elif kind == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert read_pictures([project]) == {}


def test_the_last_view_is_kept_on_closing_and_shown(qtbot, open_window, project_file) -> None:
    window = open_window
    before = project_file.stat().st_size
    window.show_perspective("layers")
    until(qtbot, lambda: window.presenters["layers"].shows_view)
    window.show_perspective("welcome")  # the last view counts, not this page
    window.workspace.close_project()
    path = Path(window.workspace.project.path) if window.workspace.project else project_file
    assert path in read_pictures([path])
    assert project_file.stat().st_size <= before + 4096
    page = window.presenters["welcome"].view
    until(qtbot, lambda: page.recent.count() == 1)
    row = page.recent.itemWidget(page.recent.item(0))
    until(qtbot, lambda: not row.picture.pixmap().isNull())
    page.recent.take_off(path)
    assert read_pictures([path]) == {}


def test_a_folder_that_cannot_be_written_stops_nothing(open_window, monkeypatch, caplog) -> None:
    def refuse(*_arguments) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(recent_pictures, "keep_picture", refuse)
    open_window.show_perspective("layers")
    monkeypatch.setattr(type(open_window.presenters["layers"]), "shows_view", True)
    open_window.workspace.close_project()
    assert open_window.workspace.project is None
    assert "could not be kept" in caplog.text
    assert settings.listed_projects()
