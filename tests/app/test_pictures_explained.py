"""One picture: dropped, chosen, or of a concept or unit, and where the models look in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox

from analysis.errors import AuditError
from analysis.figures.saliency_data import OUTSIDE
from analysis.project import Project
from app.dialogs.images_dialog import ImagesDialog
from app.lanes import JobState
from app.views.patch_dialog import PatchDialog
from tests.app.made_saliency import add_saliency
from tests.app.steps import one, session, start_run, until, visible


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = QImage(50, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("#3366AA"))
    path = tmp_path / "a dog.png"
    assert image.save(str(path))
    return path


def drop(window, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def presenter(window):
    return window.presenters["saliency"]


def said(qtbot) -> tuple[str, str]:
    box = one(qtbot, QMessageBox)
    words = box.text(), box.informativeText()
    box.close()
    until(qtbot, lambda: not visible(QMessageBox))
    return words


# -- dropping ----------------------------------------------------------------------------------
def test_a_dropped_picture_is_explained_by_all_models(qtbot, open_window, backend, picture) -> None:
    backend.gate.clear()
    drop(open_window, picture)
    until(qtbot, lambda: open_window.perspective == "saliency")
    assert "“a dog.png” is being explained" in presenter(open_window).empty.sentence.text()
    assert [r.title for r in open_window.workspace.jobs.active()] == ["explanation of “a dog.png”"]
    backend.gate.set()
    until(qtbot, lambda: presenter(open_window).explanation is not None)
    assert backend.explained == [(picture, ("Lite0", "Lite2", "SqueezeNet"))]
    explanation = presenter(open_window).explanation
    assert (explanation.name, explanation.maps[0].cell.image) == ("a dog.png", OUTSIDE)
    assert presenter(open_window).widget.currentWidget() is presenter(open_window).view
    job = open_window.workspace.jobs.records()[-1]
    assert "Explaining a dog.png by Lite0" in "\n".join(job.log)


def test_it_does_not_wait_behind_a_run(qtbot, open_window, backend, picture, monkeypatch) -> None:
    backend.gate.clear()
    run = start_run(qtbot, open_window, backend)
    monkeypatch.setattr(backend, "gate_of_pictures", threading.Event())
    backend.gate_of_pictures.set()
    drop(open_window, picture)
    until(qtbot, lambda: presenter(open_window).explanation is not None)
    jobs = open_window.workspace.jobs
    assert [record.run for record in jobs.active()] == [run]
    assert jobs.busy
    backend.gate.set()
    until(qtbot, lambda: not jobs.busy)


def test_a_picture_from_another_program_may_be_dropped(open_window, picture) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(picture))])
    entered = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    entered.ignore()
    open_window.dragEnterEvent(entered)
    assert entered.isAccepted()


def test_the_same_picture_is_not_explained_twice_at_a_time(
    qtbot, open_window, backend, picture
) -> None:
    backend.gate.clear()
    for _ in range(2):
        open_window.commands.pictures.explain(picture)
    assert len(open_window.workspace.jobs.active()) == 1
    backend.gate.set()
    until(qtbot, lambda: presenter(open_window).explanation is not None)


def test_explaining_can_be_cancelled_and_repeated(qtbot, open_window, backend, picture) -> None:
    backend.gate.clear()
    drop(open_window, picture)
    until(qtbot, lambda: len(open_window.workspace.jobs.active()) == 1)
    job = open_window.workspace.jobs.active()[0]
    open_window.commands.cancel_current()
    until(qtbot, lambda: job.state == JobState.CANCELLED)
    assert presenter(open_window).explanation is None
    assert presenter(open_window).empty.button.text() == "Explain images…"
    backend.gate.set()
    open_window.commands.retry(job.id)
    until(qtbot, lambda: presenter(open_window).explanation is not None)


def test_elsewhere_the_window_says_that_it_is_there(qtbot, open_window, backend, picture) -> None:
    backend.gate.clear()
    open_window.commands.pictures.explain(picture)
    open_window.show_perspective("concepts")
    backend.gate.set()
    until(qtbot, lambda: presenter(open_window).explanation is not None)
    assert open_window.perspective == "concepts"
    until(qtbot, lambda: "a dog.png" in open_window.status_line.text.text())
    open_window.show_perspective("saliency")
    assert presenter(open_window).widget.currentWidget() is presenter(open_window).view


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.md", b"# words", "a text file"),
        ("paper.pdf", b"%PDF-1.7 ...", "a PDF document"),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC images are not read"),
        ("empty.png", b"", "empty"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0", "damaged"),
    ],
)
def test_what_is_no_picture_is_said(
    qtbot, open_window, backend, tmp_path, name, content, reason
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    drop(open_window, path)
    summary, hint = said(qtbot)
    assert f"“{name}”" in summary
    assert reason in summary
    assert hint
    assert backend.explained == []
    assert open_window.workspace.jobs.records() == ()


def test_a_huge_picture_is_said_from_its_header(qtbot, open_window, tmp_path) -> None:
    header = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    size = (40).to_bytes(4, "little") + (60_000).to_bytes(4, "little") * 2
    path = tmp_path / "huge.bmp"
    path.write_bytes(
        header + size + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    )
    drop(open_window, path)
    assert "million pixels" in said(qtbot)[0]


def test_a_picture_that_is_gone_is_said(qtbot, open_window, tmp_path) -> None:
    drop(open_window, tmp_path / "gone.png")
    assert "“gone.png”" in said(qtbot)[0]


def test_several_files_are_not_guessed_at(qtbot, open_window, picture, tmp_path) -> None:
    drop(open_window, picture, tmp_path / "other.png")
    summary, hint = said(qtbot)
    assert "one thing" in summary
    assert "folder" in hint
    assert open_window.workspace.jobs.records() == ()


def test_folders_and_lists_are_still_added(qtbot, open_window, tmp_path) -> None:
    listed = tmp_path / "images.txt"
    listed.write_text("one.png\n")
    for path in (tmp_path, listed):
        drop(open_window, path)
        dialog = one(qtbot, ImagesDialog)
        assert dialog.source.text() == str(path)
        dialog.close()
        until(qtbot, lambda: not visible(ImagesDialog))


def test_without_a_project_one_is_asked_for(qtbot, window, picture) -> None:
    drop(window, picture)
    summary, hint = said(qtbot)
    assert "a dog.png" in summary
    assert "project" in hint


def test_failures_name_the_picture(qtbot, open_window, backend, picture) -> None:
    backend.fail_with = AuditError("No model can be run.", "Add one.")
    drop(open_window, picture)
    assert said(qtbot) == ("“a dog.png” cannot be explained. No model can be run.", "Add one.")
    assert presenter(open_window).empty.button.text() == "Explain images…"


def test_a_picture_is_chosen_from_the_menu(qtbot, open_window, picture) -> None:
    open_window.actions_registry["explain-picture"].trigger()
    dialog = one(qtbot, QFileDialog)
    assert "*.jpg" in dialog.nameFilters()[0]
    dialog.fileSelected.emit(str(picture))
    dialog.close()
    until(qtbot, lambda: presenter(open_window).explanation is not None)


# -- images of the project ---------------------------------------------------------------------
def concept_patch(qtbot, window):
    """The first patch of a concept, in focus."""
    window.show_perspective("concepts")
    window.workspace.session.update({"concept": 1}, "test")
    until(qtbot, lambda: window.workspace.focus.detail is not None)
    patch = window.workspace.focus.detail.top[0]
    view = window.presenters["concepts"].view
    view.patch_focused.emit(patch.patch_id, patch.image)
    until(qtbot, window.inspector.image.isVisible)
    return patch, view


def test_from_a_concept_patch_to_the_maps_of_both_models(qtbot, explained_window, backend) -> None:
    window = explained_window
    patch, view = concept_patch(qtbot, window)
    view.open_large_view(patch.patch_id, patch.image)
    one(qtbot, PatchDialog).look.click()
    until(qtbot, lambda: window.perspective == "saliency")
    assert not visible(PatchDialog)
    shown = presenter(window)
    until(qtbot, lambda: shown.index is not None)
    assert (session(window).run_saliency, session(window).image) == (3, patch.image)
    assert session(window).models == ("Lite0", "Lite2")
    until(qtbot, lambda: shown.view.arrangement() == "models × methods")
    assert backend.explained == []


def test_without_maps_the_image_is_explained_by_the_pair(qtbot, open_window, backend) -> None:
    patch, _view = concept_patch(qtbot, open_window)
    open_window.inspector.look.click()
    until(qtbot, lambda: presenter(open_window).explanation is not None)
    assert backend.explained == [(patch.image, ("Lite0", "Lite2"))]
    assert presenter(open_window).explanation.maps[0].cell.image == patch.image


def test_maps_of_one_model_are_not_enough(qtbot, window, backend, project_file) -> None:
    with Project.open(project_file) as project:
        add_saliency(project, ("Lite0",))
    window.commands.open_path(str(project_file))
    until(qtbot, lambda: session(window).run_saliency == 3)
    concept_patch(qtbot, window)
    window.actions_registry["show-saliency"].trigger()
    until(qtbot, lambda: backend.explained)
    assert backend.explained[0][1] == ("Lite0", "Lite2")
    until(qtbot, lambda: presenter(window).explanation is not None)


def test_from_a_unit_patch_by_the_models_of_the_dissection(
    qtbot, dissected_window, backend
) -> None:
    window = dissected_window
    window.show_perspective("units")
    units = window.presenters["units"]
    until(qtbot, lambda: units.widget.currentWidget() is not units.empty)
    units.view.unit_focused.emit(1)
    until(qtbot, lambda: window.workspace.focus.unit is not None)
    patch = window.workspace.focus.unit.patches[0]
    units.view.open_large_view(patch.patch_id, patch.image)
    one(qtbot, PatchDialog).look.click()
    until(qtbot, lambda: presenter(window).explanation is not None)
    assert backend.explained == [(patch.image, ("Lite0", "Lite2", "SqueezeNet"))]


def test_selected_models_are_asked_about_a_units_image(qtbot, dissected_window, backend) -> None:
    window = dissected_window
    window.show_perspective("units")
    window.workspace.select_models(("SqueezeNet",), "test")
    window.commands.pictures.show_image(2)
    until(qtbot, lambda: presenter(window).explanation is not None)
    assert backend.explained == [(2, ("SqueezeNet",))]


def test_the_image_in_focus_is_explained_at_once(qtbot, explained_window, backend) -> None:
    window = explained_window
    explain = window.actions_registry["explain-image"]
    assert not explain.isEnabled()
    window.workspace.session.update({"image": 2}, "test")
    assert explain.isEnabled()
    explain.trigger()
    until(qtbot, lambda: presenter(window).explanation is not None)
    assert backend.explained == [(2, ("Lite0", "Lite2", "SqueezeNet"))]


def test_esc_goes_back_to_the_concept(qtbot, explained_window) -> None:
    window = explained_window
    patch, _view = concept_patch(qtbot, window)
    window.actions_registry["show-saliency"].trigger()
    until(qtbot, lambda: window.perspective == "saliency")
    until(qtbot, lambda: not window.workspace.loader.loading)
    while window.perspective == "saliency":
        window.go_back()
    assert window.perspective == "concepts"
    assert (session(window).concept, session(window).image) == (1, patch.image)
