"""From an empty window to a report in a file, by clicks and keys alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from app.dialogs.run_dialog import RunDialog
from tests.e2e.beginning import LONG, make_project, plan_run, walk_to_a_concept
from tests.e2e.hands import Hands
from tests.e2e.test_findings import record


def _save(hands: Hands, button: str, path: Path) -> bytes:
    """Press an export button, give a path, wait for the file; what it holds."""
    hands.press_button(button)
    hands.see(QFileDialog)
    hands.choose_file(path)
    hands.wait(lambda: path.is_file() and path.stat().st_size > 0, LONG)
    return path.read_bytes()


def test_from_an_empty_window_to_a_report(hands: Hands, project_file, tmp_path) -> None:
    images = project_file.parent / "pictures"
    make_project(hands, tmp_path / "mine.parallax", images, ("timm:resnet18", "timm:resnet50"))
    window, workspace = hands.window, hands.window.workspace
    hands.wait(lambda: workspace.index is not None and len(workspace.index.models) == 2)
    dialog = plan_run(hands, "Concepts")
    hands.click(dialog.accept_button)
    hands.gone(RunDialog)
    hands.wait(lambda: [run.state for run in workspace.index.runs] == ["done"])
    hands.tab("Concepts")
    hands.wait(lambda: workspace.points is not None and len(workspace.points.concept_id) == 18)
    walk_to_a_concept(hands)
    record(hands, "A concept nobody asked for")
    hands.wait(lambda: len(workspace.index.findings) == 1)

    hands.tab("Report")
    hands.press_button("Compose a report")
    presenter = window.presenters["report"]
    hands.wait(lambda: presenter.built and presenter.composition is not None, LONG)
    view = presenter.view
    hands.wait(lambda: view.pages.paper.amount > 1, LONG)
    before = view.blocks.list.ids()
    hands.write(view.offer.filter, "text of your own")
    tree = view.offer.tree
    exactly = Qt.MatchFlag.MatchFixedString | Qt.MatchFlag.MatchRecursive
    hands.wait(lambda: tree.findItems("Text of your own", exactly))
    own = tree.findItems("Text of your own", exactly)[0]
    hands.wait(lambda: tree.visualItemRect(own).isValid())
    tree.scrollToItem(own)
    hands.click(tree.viewport(), tree.visualItemRect(own).center())
    hands.wait(view.offer.add.isEnabled)
    hands.click(view.offer.add)
    hands.wait(lambda: len(view.blocks.list.ids()) == len(before) + 1)
    hands.click(view.editor.text)
    QTest.keyClicks(view.editor.text, "Ask before release")
    QTest.keyClick(view.blocks.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)

    page = _save(hands, "Export HTML…", tmp_path / "report.html").decode("utf-8")
    assert "A concept nobody asked for" in page
    assert "release" in page.lower()
    pages = _save(hands, "Export PDF…", tmp_path / "report.pdf")
    assert pages.startswith(b"%PDF")
    # The report itself is in the project, for the next time.
    (stored,) = workspace.project.reports()
    texts = [block.get("text") for block in stored.composition["blocks"]]
    assert "Ask before release" in texts
