from __future__ import annotations

import dataclasses

import pytest

from app.history import History, Place
from app.session import Session, Snapshot
from app.session_signals import SessionSignals


def test_update_notifies_with_what_really_changed() -> None:
    session, heard = Session(), []
    session.subscribe(lambda changes, initiator: heard.append((changes, initiator)))
    me = object()
    assert session.update({"model_a": "X", "model_b": None}, me) == {"model_a"}
    assert heard == [(frozenset({"model_a"}), me)]
    assert session.update({"model_a": "X"}, me) == frozenset()
    assert len(heard) == 1


def test_snapshot_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Snapshot().concept = 3  # type: ignore[misc]


def test_unknown_field_is_refused_and_nothing_changes() -> None:
    session = Session()
    before = session.snapshot
    with pytest.raises(KeyError, match="row_number"):
        session.update({"row_number": 3, "concept": 1})
    assert session.snapshot is before


def test_another_run_clears_what_belonged_to_the_old_one() -> None:
    session = Session()
    session.update({"run_concepts": 1, "class_name": "bird"})
    session.update({"concept": 5, "selection": frozenset({5, 6})})
    session.update({"patch": 9, "image": 2})
    session.update({"run_concepts": 2})
    now = session.snapshot
    assert (now.concept, now.patch, now.image, now.class_name) == (None, None, None, None)
    assert now.selection == frozenset()


def test_reset_fields_given_in_the_same_update_stay() -> None:
    session = Session()
    session.update({"run_concepts": 1, "concept": 7, "patch": 8})
    assert (session.snapshot.concept, session.snapshot.patch) == (7, 8)


def test_another_concept_clears_its_patch_but_not_the_class() -> None:
    session = Session()
    session.update({"class_name": "bird", "concept": 1, "patch": 2, "image": 3})
    session.update({"concept": 4})
    assert (session.snapshot.patch, session.snapshot.image) == (None, None)
    assert session.snapshot.class_name == "bird"


def test_another_dissection_clears_the_unit_but_not_the_models() -> None:
    session = Session()
    session.update({"models": ("A", "B"), "run_dissection": 1, "components": (2, 3)})
    session.update({"unit": 5, "units": frozenset({5}), "image": 7})
    session.update({"run_dissection": 2})
    now = session.snapshot
    assert (now.unit, now.units, now.image) == (None, frozenset(), None)
    assert (now.models, now.components) == (("A", "B"), (2, 3))


def test_closing_the_project_clears_everything() -> None:
    session = Session()
    session.update({"project": "x", "model_a": "A", "run_concepts": 1, "concept": 2})
    session.update({"project": None})
    assert session.snapshot == Snapshot()
    session.update({"project": "x", "models": ("A",), "run_embedding": 2, "unit": 3})
    session.update({"hover_model": "A"})
    session.update({"project": "y"})
    assert session.snapshot == Snapshot(project="y")


def test_adapter_forwards_one_signal(qtbot) -> None:
    signals = SessionSignals(Session())
    with qtbot.waitSignal(signals.changed) as caught:
        signals.update({"concept": 3}, "me")
    assert caught.args == [frozenset({"concept"}), "me"]


def test_history_goes_back_and_ignores_hovering() -> None:
    history = History()
    first = Place("layers", Snapshot(project="p", model_a="A"))
    history.visit(first)
    history.visit(Place("layers", Snapshot(project="p", model_a="A", hover=4)))
    history.visit(Place("layers", Snapshot(project="p", model_a="A", hover_model="B")))
    assert not history.can_go_back
    history.visit(Place("concepts", Snapshot(project="p", model_a="A", concept=4)))
    assert history.can_go_back
    assert history.back() == first
    assert history.back() is None


def test_history_is_bounded() -> None:
    history = History()
    for number in range(500):
        history.visit(Place("concepts", Snapshot(concept=number)))
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps < 200
