"""Where models are right and where they agree, from predictions that an evaluation keeps."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures.agreement import (
    PARTS,
    accuracy_of,
    agreement,
    prediction_choices,
    predictions,
    sliced_performance,
)
from analysis.figures.slice_making import OfAgreement, chosen_images
from analysis.figures.slices import slice_choice
from tests.figures.conftest import MODEL_A, MODEL_B

TASK = "k-NN (k = 20)"
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
ANSWERS = {
    MODEL_A: np.array([0, 0, 1, 1, 1, 0, 2, 1]),
    MODEL_B: np.array([0, 1, 1, 1, 2, 2, 2, 0]),
}


@pytest.fixture
def evaluated(made_up):
    """Images 1 to 8; model B was not asked about image 8 but about image 9."""
    project = made_up.project
    run = project.add_run("evaluation", "evaluation", {"seed": 3}, models=[MODEL_A, MODEL_B],
                          image_set=1, units=["models/0", "models/1"])  # fmt: skip
    for place, model in enumerate((MODEL_A, MODEL_B)):
        answers = ANSWERS[model]
        images = np.arange(1, 9) if place == 0 else np.array([1, 2, 3, 4, 5, 6, 7, 9])
        probabilities = np.full((8, 3), 0.1, np.float32)
        probabilities[np.arange(8), answers] = 0.8
        order = np.random.default_rng(place).permutation(8)  # runs keep their own order
        key = f"models/{place}"
        arrays = {
            f"{key}/images": images[order],
            f"{key}/labels": LABELS[order],
            f"{key}/{TASK}": probabilities[order],
        }
        rows = [
            {"model": model, "task": task, "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 8}
            for task in (TASK, "prototypes (5 shots)")
        ]
        project.commit_unit(run, key, {"performance": rows}, arrays, [], 0.1)
    return project, run


def test_the_tasks_whose_predictions_are_kept(evaluated) -> None:
    project, run = evaluated
    (choice,) = prediction_choices(project)
    assert (choice.run, choice.task, choice.models) == (run, TASK, (MODEL_A, MODEL_B))


def test_the_parts_are_those_of_a_plain_loop(evaluated) -> None:
    project, run = evaluated
    found = agreement(project, run, TASK, MODEL_A, MODEL_B)
    expected = {part: set() for part in PARTS}
    for place in range(7):  # the eighth differs
        label, a, b = LABELS[place], ANSWERS[MODEL_A][place], ANSWERS[MODEL_B][place]
        right = {(True, True): "both right", (False, False): "both wrong",
                 (True, False): "only A right", (False, True): "only B right"}  # fmt: skip
        expected[right[bool(a == label), bool(b == label)]].add(place + 1)
        expected["agree" if a == b else "disagree"].add(place + 1)
    assert {part: set(found.part(part)) for part in PARTS} == expected
    assert all(expected[part] for part in ("both right", "both wrong", "only A right", "disagree"))
    turned = agreement(project, run, TASK, MODEL_B, MODEL_A)
    assert turned.part("only B right") == found.part("only A right")
    chosen = chosen_images(project, OfAgreement(run, TASK, MODEL_A, MODEL_B, "disagree"))
    assert chosen.images == found.part("disagree")
    assert chosen.origin.startswith(f"disagree: A {MODEL_A}, B {MODEL_B}")
    with pytest.raises(AuditError, match="no such part"):
        found.part("half right")


def test_accuracy_over_a_slice(evaluated) -> None:
    project, run = evaluated
    images = frozenset({1, 2, 3, 6, 17})
    found = accuracy_of(project, run, TASK, MODEL_A, images)
    assert (found.mean, found.n) == (0.5, 4)
    assert found.low <= 0.5 <= found.high
    perfect = accuracy_of(project, run, TASK, MODEL_A, frozenset({1, 2}))
    assert (perfect.mean, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.025**0.5)  # Clopper and Pearson, two of two
    chosen = slice_choice(project, project.add_image_slice("some", images))
    table = sliced_performance(project, chosen)
    assert (table.models, table.tasks) == ((MODEL_A, MODEL_B), (TASK,))
    assert table.value[0, 0] == 0.5
    assert table.value[1, 0] == pytest.approx(1 / 4)
    assert table.n.tolist() == [[4], [4]]
    nowhere = slice_choice(project, project.add_image_slice("none", [18]))
    assert sliced_performance(project, nowhere).models == ()


@pytest.mark.parametrize("damage", ["shape", "twice", "text"])
def test_damaged_predictions_are_refused(evaluated, damage) -> None:
    project, run = evaluated
    bad = {
        "shape": ("models/0/labels", np.zeros(3, np.int64)),
        "twice": ("models/0/images", np.ones(8, np.int64)),
        "text": ("models/0/images", np.linspace(0, 1, 8)),
    }[damage]
    with project.transaction() as connection:
        connection.execute("DELETE FROM array WHERE run = ? AND name = ?", (run, bad[0]))
        project.write_array(connection, run, *bad)
    with pytest.raises(AuditError, match="do not fit together"):
        predictions(project, run, TASK, MODEL_A)


def test_what_is_not_kept_is_said(evaluated) -> None:
    project, run = evaluated
    for task, model in ((TASK, "nobody"), ("prototypes (5 shots)", MODEL_A)):
        with pytest.raises(AuditError, match="keeps no predictions"):
            predictions(project, run, task, model)
