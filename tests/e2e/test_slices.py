"""Looking at some of the images alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.dialogs.slice_dialog import SliceDialog
from tests.e2e.beginning import walk_to_a_concept
from tests.e2e.hands import Hands


def test_a_class_of_images_is_looked_at_alone(at_work: Hands) -> None:
    window = at_work.window
    at_work.tab("Concepts")
    at_work.wait(lambda: window.workspace.points is not None)
    whole = walk_to_a_concept(at_work)
    at_work.key("Ctrl+Alt+N")
    dialog = at_work.see(SliceDialog)
    at_work.choose(dialog.kind, "their class")
    classes = dialog.classes
    classes.setFocus()
    QTest.keyClick(classes, Qt.Key.Key_Home)
    QTest.keyClick(classes, Qt.Key.Key_Space)
    at_work.wait(lambda: classes.item(0).checkState() == Qt.CheckState.Checked)
    at_work.write(dialog.name, "only these")
    at_work.wait(dialog.accept_button.isEnabled)
    at_work.click(dialog.accept_button)
    at_work.gone(SliceDialog)
    at_work.wait(lambda: window.workspace.slices.entry is not None)
    control = window.pair_bar.slices.choice
    at_work.wait(lambda: control.currentText().startswith("only these"))
    at_work.wait(lambda: window.workspace.slices.images is not None)
    images = window.workspace.slices.images
    at_work.wait(lambda: {patch.image for patch in window.workspace.focus.detail.top} <= images)
    at_work.press_button("Show all images")
    at_work.wait(lambda: window.workspace.session.snapshot.image_slice is None)
    at_work.wait(lambda: window.workspace.focus.detail.top == whole.top)
    at_work.key("Ctrl+Z")  # the slice itself is taken back
    at_work.wait(lambda: not window.workspace.index.slices)
