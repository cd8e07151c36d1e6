import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.evaluation.ensembles import ensembles, soft_vote


def literal_vote(first, second, a, b):
    """The paper's sentence: (0.5 + |a − b|) for the better one."""
    difference = abs(a - b)
    better, other = (first, second) if a > b else (second, first)
    voted = np.zeros_like(first)
    for row in range(len(first)):
        for column in range(first.shape[1]):
            voted[row, column] = (0.5 + difference) * better[row, column] + max(
                0.5 - difference, 0
            ) * other[row, column]
    return voted


def predictions(models=4, images=150, classes=5, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=images)
    skill = np.linspace(0.2, 1.6, models)[:, None, None]
    logits = generator.normal(size=(models, images, classes)) * 1.2
    logits += skill * np.eye(classes)[labels]
    weights = np.exp(logits)
    return weights / weights.sum(2, keepdims=True), labels


@pytest.mark.parametrize(("a", "b"), [(0.7, 0.6), (0.6, 0.7), (0.5, 0.5), (0.25, 0.75)])
def test_votes_equal_a_literal_loop(a, b):
    (first, second), _ = predictions(2, 20)
    np.testing.assert_allclose(soft_vote(first, second, a, b), literal_vote(first, second, a, b))
    np.testing.assert_allclose(soft_vote(first, second, a, b), soft_vote(second, first, b, a))


def test_a_much_better_model_decides_alone():
    (first, second), _ = predictions(2, 20)
    voted = soft_vote(first, second, 0.9, 0.1)
    np.testing.assert_allclose(voted, first)
    assert (voted.argmax(1) == literal_vote(first, second, 0.9, 0.1).argmax(1)).all()


def test_pairs_equal_a_literal_loop():
    given, labels = predictions()
    found = ensembles(given, labels, replicates=50)
    accuracy = [(p.argmax(1) == labels).mean() for p in given]
    np.testing.assert_allclose(found.performance, accuracy)
    np.testing.assert_allclose(np.diag(found.combined), accuracy)
    assert np.isnan(np.diag(found.gain)).all()
    assert found.n == 150
    for a in range(4):
        for b in set(range(4)) - {a}:
            voted = literal_vote(given[a], given[b], accuracy[a], accuracy[b])
            together = (voted.argmax(1) == labels).mean()
            assert found.combined[a, b] == pytest.approx(together)
            assert found.gain[a, b] == pytest.approx(together - max(accuracy[a], accuracy[b]))


def test_intervals_equal_a_literal_paired_bootstrap():
    given, labels = predictions(2, 100)
    found = ensembles(given, labels, replicates=4000)
    voted = soft_vote(*given, *found.performance)
    right = [array.argmax(1) == labels for array in (given[0], given[1], voted)]
    generator = np.random.default_rng(3)
    gains = []
    for _ in range(4000):
        drawn = generator.integers(100, size=100)
        one, two, both = (answers[drawn].mean() for answers in right)
        gains.append(both - max(one, two))
    assert found.ci_low[0, 1] == pytest.approx(np.quantile(gains, 0.025), abs=0.011)
    assert found.ci_high[1, 0] == pytest.approx(np.quantile(gains, 0.975), abs=0.011)


def test_models_that_err_alike_gain_nothing():
    given, labels = predictions(1)
    found = ensembles([given[0], given[0]], labels)
    assert found.gain[0, 1] == found.ci_low[0, 1] == found.ci_high[0, 1] == 0


def test_models_that_know_different_classes_gain():
    labels = np.arange(200) % 4
    sure, unsure = np.eye(4)[labels], np.full((200, 4), 0.25)
    one = np.where((labels < 2)[:, None], sure, unsure[:, ::-1])
    two = np.where((labels >= 2)[:, None], sure, unsure)
    found = ensembles([one, two], labels)
    assert found.combined[0, 1] == 1
    assert found.ci_low[0, 1] > 0


def test_bad_input_is_refused():
    given, labels = predictions()
    images = np.arange(150)
    ensembles(given, labels, images=[images] * 4)
    for bad, truth, ids in [
        (given[:1], labels, None),
        ([given[0], given[1, :100]], labels, None),
        ([given[0], given[1, :, :4]], labels, None),
        (given, labels[:100], None),
        (given, np.zeros(150, int), None),
        (given, labels + 3, None),
        (np.where(given > 0.9, np.nan, given), labels, None),
        (given[:2], labels, [images, images[::-1]]),
        (given[:2], labels, [images]),
        (given[:, :0], labels[:0], None),
    ]:
        with pytest.raises(AuditError):
            ensembles(bad, truth, images=ids)
    with pytest.raises(AuditError, match="between 0 and 1"):
        soft_vote(given[0], given[1], 59.5, 60.6)
    with pytest.raises(AuditError, match="between 0 and 1"):
        soft_vote(given[0], given[1], float("nan"), 0.5)
