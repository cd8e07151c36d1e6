import numpy as np
import pytest
import scipy.stats

from analysis.errors import AuditError
from analysis.evaluation.intervals import accuracy_with_interval


def test_interval_agrees_with_scipys_bootstrap():
    correct = np.random.default_rng(0).random(300) < 0.7
    found = accuracy_with_interval(correct, replicates=20_000)
    other = scipy.stats.bootstrap(
        (correct.astype(float),), np.mean, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    assert found.value == pytest.approx(correct.mean())
    assert found.n == 300
    assert found.low == pytest.approx(other.low, abs=0.006)
    assert found.high == pytest.approx(other.high, abs=0.006)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(5)
    intervals = [
        accuracy_with_interval(generator.random(200) < 0.6, 400, seed) for seed in range(200)
    ]
    covered = np.mean([i.low <= 0.6 <= i.high for i in intervals])
    assert 0.88 < covered < 0.99


def test_images_asked_for_more_often_weigh_more_but_are_drawn_as_one():
    right, asked = np.array([10, 0, 3, 0]), np.array([10, 5, 5, 0])
    found = accuracy_with_interval(right, 5000, asked=asked)
    assert found.value == pytest.approx(13 / 20)
    assert found.n == 3
    replicates = [
        right[list(drawn)].sum() / asked[list(drawn)].sum()
        for drawn in np.ndindex(3, 3, 3)  # every sample of three images there is
    ]

    def quantile(share):
        return np.quantile(replicates, share, method="inverted_cdf")

    assert found.low == pytest.approx(quantile(0.025))
    assert found.high == pytest.approx(quantile(0.975))


@pytest.mark.parametrize("answer", [True, False])
def test_a_clean_sweep_still_has_its_doubt(answer):
    found = accuracy_with_interval(np.full(20, answer))
    exact = scipy.stats.binomtest(20 if answer else 0, 20).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_one_image_has_no_interval():
    found = accuracy_with_interval(np.array([True]))
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("correct", "asked"),
    [
        ([], None),
        ([2.0], None),
        ([-1.0], None),
        ([np.nan, 1], None),
        ([0, 0], [0, 0]),
        ([1], [1, 2]),
    ],
)
def test_bad_input_is_refused(correct, asked):
    with pytest.raises(AuditError):
        accuracy_with_interval(np.array(correct), asked=None if asked is None else np.array(asked))
