"""What is chosen in the semantics view, in words and numbers, and when it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from analysis.figures.words import interval
from app.views.semantics_chosen import (
    Chosen,
    chosen_layers,
    chosen_masks,
    chosen_score,
    chosen_set,
)
from app.views.semantics_view import SemanticsView
from app.views.semantics_words import mask_counts, space_counts, tcav_counts
from tests.app.views import made_semantics as made

APART = (made.separability(), made.separability(made.MODEL_B))


def readings(chosen: Chosen) -> dict[str, str]:
    return {one.name: one.value for one in chosen.readings}


def test_a_pair_of_layers_with_what_told_the_concept_apart() -> None:
    data = made.space("fur")
    row, column = (int(at[0]) for at in np.nonzero(space_counts(data)))
    pair = (data.layers_a[row].name, data.layers_b[column].name)
    chosen = chosen_layers(data, made.index(), APART, pair)
    assert chosen.title == "fur"
    assert pair[0] in chosen.sentence
    assert "More alike than chance" in chosen.sentence
    values = readings(chosen)
    at = (row, column)
    assert values["SFSS"] == interval(data.pearson[at], data.ci_low[at], data.ci_high[at])
    one = APART[0]
    place = (one.concepts.index("fur"), row)
    told = interval(one.accuracy[place], one.ci_low[place], one.ci_high[place])
    assert values["told apart, A"].startswith(told)
    assert "told apart, B" in values
    assert values["images"] == f"{data.n:,}"


def test_the_mean_has_no_separability_and_chance_is_said() -> None:
    data = made.space("")
    below = np.isfinite(data.pearson) & ~space_counts(data)
    if not below.any():
        data.null_95[0, 0] = 1.0
        below = np.isfinite(data.pearson) & ~space_counts(data)
    row, column = (int(at[0]) for at in np.nonzero(below))
    pair = (data.layers_a[row].name, data.layers_b[column].name)
    chosen = chosen_layers(data, made.index(), APART, pair)
    assert chosen.title == "mean of all concepts"
    assert "No more alike than chance" in chosen.sentence
    assert not [name for name in readings(chosen) if name.startswith("told apart")]


def test_a_matched_pair_of_found_concepts() -> None:
    data = made.masks()
    step, row, column = (int(at[0]) for at in np.nonzero(data.matched & mask_counts(data)))
    chosen = chosen_masks(data, made.index(), step, (row, column))
    values = readings(chosen)
    at = (step, row, column)
    assert values["UCS"] == interval(data.ucs[at], data.ci_low[at], data.ci_high[at])
    assert values["best match"] == "yes"
    assert "more than chance" in chosen.sentence
    assert "importance, A" in values
    assert "present, B" in values


def test_a_score_and_one_that_cannot_be_used() -> None:
    data = made.tcav()
    concept, place = (int(at[0]) for at in np.nonzero(tcav_counts(data)))
    chosen = chosen_score(data, (data.concepts[concept], data.classes[place]))
    assert "otherwise than random concepts" in chosen.sentence
    assert "random" in readings(chosen)
    unused = np.flatnonzero(~np.asarray(data.separates, bool))
    assert unused.size
    chosen = chosen_score(data, (data.concepts[int(unused[0])], data.classes[0]))
    assert "cannot be used" in chosen.sentence
    assert not chosen.readings


def test_a_concept_given_by_examples() -> None:
    striped, wheel, *_ = made.concept_sets()
    assert readings(chosen_set(striped)) == {
        "given by": "patches", "examples": "24", "negatives": "drawn at random",
    }  # fmt: skip
    assert chosen_set(wheel).title == "wheel"


@pytest.fixture
def view(qapp: QApplication, make_source: Callable) -> Iterator[SemanticsView]:
    made_view = SemanticsView()
    made_view.resize(1280, 860)
    made_view.set_source(make_source())
    made_view.show_index(made.index())
    yield made_view
    made_view.close()
    made_view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_what_is_in_front_is_told_once_when_its_numbers_are_here(
    view: SemanticsView, qtbot: QtBot
) -> None:
    told: list[Chosen | None] = []
    view.chosen_changed.connect(told.append)
    view.show()
    layers = (made.masks().layer_a, made.masks().layer_b)
    view.show_space(made.space())
    view.set_layers(*layers)
    view.show_separability(*APART)
    qtbot.waitUntil(lambda: bool(told))
    assert [one.title for one in told if one] == ["mean of all concepts"]
    assert layers[0] in told[-1].sentence
    view.show_tab("concepts")
    view.show_sets(made.concept_sets())
    view.set_concept_set(12)
    qtbot.waitUntil(lambda: told[-1] is not None and told[-1].title == "fur")
    view.show_tab("found")
    view.show_masks(made.masks())
    qtbot.waitUntil(lambda: told[-1] is not None and told[-1].title.startswith("Found concepts"))
    before = told[-1]
    view.set_threshold(0.75)
    qtbot.waitUntil(lambda: told[-1] != before)
    assert ("threshold", "0.75") in [(one.name, one.value) for one in told[-1].readings]
    view.show_tab("classes")
    view.show_tcav(made.tcav())
    scores = made.tcav()
    view.tcav._focus_row((scores.concepts[0], scores.classes[0]))
    qtbot.waitUntil(lambda: told[-1] is not None and scores.classes[0] in told[-1].title)
    view.show_index(None)
    qtbot.waitUntil(lambda: told[-1] is None)
