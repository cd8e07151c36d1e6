"""A figure on the screen becomes a file, and its numbers a table."""

from __future__ import annotations

import csv

import pytest

from app.dialogs.export_dialog import ExportDialog
from tests.e2e.hands import Hands

START = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}


@pytest.mark.parametrize("kind", list(START))
def test_the_figure_in_front_is_exported(at_work: Hands, tmp_path, kind) -> None:
    at_work.tab("Layers")
    at_work.wait(lambda: at_work.window.presenters["layers"].view.data is not None)
    at_work.key("Ctrl+E")
    dialog = at_work.see(ExportDialog)
    at_work.wait(dialog.accept_button.isEnabled)
    target = tmp_path / f"figure.{kind}"
    at_work.write(dialog.path.edit, str(target))
    at_work.click(dialog.accept_button)
    at_work.gone(ExportDialog)
    at_work.wait(target.is_file)
    assert target.read_bytes().startswith(START[kind])


def test_a_table_is_exported(at_work: Hands, tmp_path) -> None:
    at_work.tab("Layers")
    at_work.key("Ctrl+Shift+E")
    dialog = at_work.see(ExportDialog)
    at_work.wait(lambda: dialog.what.count() > 0)
    name = next(
        dialog.what.itemText(i)
        for i in range(dialog.what.count())
        if dialog.what.itemData(i).name == "layer_similarity"
    )
    at_work.choose(dialog.what, name)
    target = tmp_path / "layers.csv"
    at_work.write(dialog.path.edit, str(target))
    at_work.wait(dialog.accept_button.isEnabled)
    at_work.click(dialog.accept_button)
    at_work.gone(ExportDialog)
    at_work.wait(target.is_file)
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {row["model_a"] for row in rows} == {"Lite0"}
