"""The guided tour: its steps, its keys, and that it remembers where it was left."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication

from app import settings
from app.perspectives import PERSPECTIVES
from app.tour import free_place
from app.tour_steps import PARTS, part_of_window, tour_steps
from app.welcome import tour_words
from tests.app.steps import until


def test_steps_are_few_and_short_and_lead_to_parts_that_exist(dissected_window) -> None:
    steps = tour_steps()
    assert 6 <= len(steps) <= 8
    assert {step.perspective for step in steps} <= {p.id for p in PERSPECTIVES}
    for step in steps:
        assert step.part in PARTS
        assert step.title
        assert 1 <= step.text.count(". ") + 1 <= 3, step.text
        presenter = dissected_window.presenters[step.perspective]
        presenter.view  # noqa: B018  (built on first access)
        assert PARTS[step.part](dissected_window) is not None, step.part


def test_tour_walks_through_the_perspectives_and_ends(qtbot, open_window) -> None:
    window = open_window
    window.actions_registry["tour"].trigger()
    seen = []
    for number, step in enumerate(tour_steps()):
        assert window.tour.step == number
        assert window.perspective == step.perspective
        panel = window.tour.panel
        assert panel.title.text() == step.title
        assert panel.place.text() == f"{number + 1} of {len(tour_steps())}"
        assert window.rect().contains(panel.geometry())
        seen.append(step.perspective)
        qtbot.mouseClick(panel.next, Qt.MouseButton.LeftButton)
    assert window.tour.step is None
    assert window.tour.panel is None
    assert settings.tour_step() == 0
    assert {"concepts", "layers", "saliency"} <= set(seen)


def test_keys_walk_and_escape_closes_without_going_back(qtbot, open_window) -> None:
    window = open_window
    window.tour.begin()
    panel = window.tour.panel
    qtbot.keyClick(panel.next, Qt.Key.Key_Right)
    assert window.tour.step == 1
    qtbot.keyClick(panel.next, Qt.Key.Key_Left)
    assert window.tour.step == 0
    qtbot.keyClick(panel.next, Qt.Key.Key_Left)
    assert window.tour.step == 0
    qtbot.keyClick(panel.next, Qt.Key.Key_Right)
    shown = window.perspective
    qtbot.keyClick(panel.next, Qt.Key.Key_Escape)
    assert window.tour.step is None
    assert window.perspective == shown


def test_tour_goes_on_where_it_was_closed(open_window) -> None:
    open_window.tour.begin()
    open_window.tour.go_to(3)
    open_window.tour.close()
    assert "4 of" in tour_words()
    open_window.tour.begin()
    assert open_window.tour.step == 3


def test_tour_opens_the_sample_where_nothing_is_open(qtbot, window, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("app.commands.sample_path", lambda: tmp_path / "sample.parallax")
    button = next(
        item.widget()
        for place in range(window.presenters["welcome"].view.buttons.count())
        if (item := window.presenters["welcome"].view.buttons.itemAt(place))
        .widget()
        .property("action")
        == "tour"
    )
    button.click()
    until(qtbot, lambda: window.workspace.index is not None and window.workspace.index.models)
    assert window.tour.step == 0
    assert window.perspective == "welcome"  # results do not take the step away


def test_the_frame_lets_clicks_through_and_follows(open_window) -> None:
    open_window.tour.begin()
    frame = open_window.tour._frame
    assert frame.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    part = part_of_window(open_window, tour_steps()[0])
    inside = QRect(part.mapTo(open_window, QPoint(0, 0)), part.size())
    assert frame.geometry().contains(inside.intersected(open_window.rect()).center())
    open_window.resize(open_window.width() - 120, open_window.height() - 60)
    QApplication.processEvents()
    assert open_window.rect().contains(open_window.tour.panel.geometry())


@pytest.mark.parametrize("value", ["rubbish", -4, 10**6, None])
def test_damaged_memory_starts_at_the_beginning(open_window, value) -> None:
    settings.open_settings().setValue("tour_step", value)
    open_window.tour.begin()
    assert open_window.tour.step == 0


def test_panel_stands_beside_what_it_points_at() -> None:
    window = QRect(0, 0, 1280, 800)
    for target in (
        QRect(0, 60, 220, 700),
        QRect(240, 130, 420, 380),
        QRect(900, 20, 350, 40),
        QRect(200, 60, 900, 40),
    ):
        corner = free_place(window, target, QSize(340, 180))
        panel = QRect(corner.x(), corner.y(), 340, 180)
        assert window.contains(panel)
        assert not panel.intersects(target)
        low = free_place(window, target, QSize(340, 180), low=True)
        assert window.contains(QRect(low.x(), low.y(), 340, 180))
        assert low.y() >= corner.y() or target.height() < 180
    whole = free_place(window, window, QSize(340, 180))
    assert window.contains(QRect(whole.x(), whole.y(), 340, 180))
