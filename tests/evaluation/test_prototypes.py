import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.evaluation import prototypes
from analysis.evaluation.prototypes import prototypical


def drawn_episodes(labels, monkeypatch, **options):
    """The draws behind an evaluation, as it makes them."""
    seen = {}
    plain = prototypes._answers

    def spy(values, support, query, taken, report):
        seen.update(support=support, query=query, taken=taken)
        return plain(values, support, query, taken, report)

    monkeypatch.setattr(prototypes, "_answers", spy)
    found = prototypical(labels=labels, **options)
    return found, seen["support"], seen["query"], seen["taken"]


def literal_accuracy(features, support, query, classes):
    """One episode, a loop over queries and classes."""
    means = {c: np.mean([features[i] for i in support[c]], axis=0) for c in classes}
    answers = []
    for truth in classes:
        for image in query[truth]:
            distances = {c: float(((features[image] - means[c]) ** 2).sum()) for c in classes}
            answers.append(min(distances, key=distances.__getitem__) == truth)
    return np.mean(answers)


@pytest.mark.parametrize("width", [30, 300])
@pytest.mark.parametrize("ways", [None, 3])
def test_accuracies_equal_a_literal_loop(make, monkeypatch, width, ways):
    data = make(width=width, spread=2.5)
    found, support, query, taken = drawn_episodes(
        data.labels,
        monkeypatch,
        features=data.features,
        shots=5,
        episodes=12,
        queries=8,
        ways=ways,
        seed=4,
    )
    assert taken.shape == (12, ways or 4)
    expected = [literal_accuracy(data.features, support[e], query[e], taken[e]) for e in range(12)]
    np.testing.assert_allclose(found.accuracies, expected)
    assert 0.3 < found.accuracies.mean() < 1


def test_draws_are_of_the_class_without_repeats_and_apart(make, monkeypatch):
    data = make()
    found, support, query, _ = drawn_episodes(
        data.labels, monkeypatch, features=data.features, shots=10, episodes=30
    )
    for episode in range(30):
        for number in range(4):
            drawn = [*support[episode, number], *query[episode, number]]
            assert len(set(drawn)) == len(drawn) == 25
            assert set(data.labels[drawn]) == {number}
    assert found.asked.sum() == 30 * 4 * 15
    assert found.right.sum() == pytest.approx(found.accuracies.mean() * found.asked.sum())
    assert (found.right <= found.asked).all()


def test_prototypes_come_from_training_images_where_they_are_named(make, monkeypatch):
    data = make()
    training = np.arange(120) < 80
    found, support, query, _ = drawn_episodes(
        data.labels, monkeypatch, features=data.features, shots=10, episodes=5, training=training
    )
    assert training[support].all()
    assert not training[query].any()
    assert found.queries <= 15


def test_models_are_asked_the_same(make):
    first, second = make(spread=1), make(spread=5)
    one = prototypical(first.features, first.labels, 5, 20, seed=9)
    other = prototypical(second.features, first.labels, 5, 20, seed=9)
    np.testing.assert_array_equal(one.asked, other.asked)
    assert one.accuracies.mean() > other.accuracies.mean()


def test_blocks_do_not_change_the_answers(make, monkeypatch):
    data = make(spread=2.5)
    whole = prototypical(data.features, data.labels, 5, 20)
    monkeypatch.setattr(prototypes, "_BLOCK_VALUES", 1)
    np.testing.assert_array_equal(
        prototypical(data.features, data.labels, 5, 20).accuracies, whole.accuracies
    )


def test_small_classes_are_left_out_and_queries_shared(make):
    data = make()
    labels = data.labels.copy()
    labels[np.flatnonzero(labels == 3)[7:]] = -1
    labels[np.flatnonzero(labels == 2)[5:]] = -1
    found = prototypical(data.features, labels, 5, 10)
    assert found.classes.tolist() == [0, 1, 3]
    assert found.queries == 2
    assert found.left_out == ((2, "5 images, too few for 5 shots and a query"),)
    assert found.asked[labels < 0].sum() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"shots": 30},
        {"shots": 0},
        {"episodes": 0},
        {"queries": 0},
        {"ways": 1},
        {"labels": np.zeros(120, int)},
        {"features": np.full((120, 3), np.nan)},
        {"features": np.ones((60, 3))},
        {"training": np.ones(120, bool)},
        {"training": np.ones(10, bool)},
    ],
)
def test_bad_input_is_refused(labelled, change):
    good = {"features": labelled.features, "labels": labelled.labels, "shots": 5, "episodes": 2}
    prototypical(**good)
    with pytest.raises(AuditError):
        prototypical(**(good | change))
