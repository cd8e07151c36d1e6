"""What the view says about an embedding."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.views import embedding_words as words
from tests.app.views import made_embedding as made


def test_axis_titles_give_explained_variance_and_chance() -> None:
    points = made.points()
    assert words.axis_title(points, 2) == "PC2 · 17.7 % (chance 25.4 %)"
    unknown = dataclasses.replace(points, null_95=np.full(3, np.nan))
    assert words.axis_title(unknown, 2) == "PC2 · 17.7 %"
    assert words.axis_title(points, 9) == "PC9"


def test_shares_of_a_component_are_squared_loadings() -> None:
    data = made.loadings()
    shares = words.concept_shares(data)
    for component in range(3):
        total = sum(value**2 for value in data.loadings[component].tolist())
        for at, value in enumerate(data.loadings[component].tolist()):
            assert shares[component, at] == pytest.approx(value**2 / total)
    none = dataclasses.replace(data, loadings=np.zeros((1, 5)))
    assert np.isnan(words.concept_shares(none)).all()


def test_the_trust_line_counts_models_components_draws_and_the_largest_concept() -> None:
    line = words.trust_line(made.points(), made.loadings(), made.stability())
    assert line == (
        "How far to trust this: 4 models and 1 projected. 1 of 3 components beats chance (PC1). "
        "81 % of bootstrap draws keep the groups. food (material) alone carries 64 % of PC1."
    )
    assert words.trust_line(None, None, None) == ""
    weak = dataclasses.replace(made.points(), null_95=np.ones(3))
    assert "None of 3 components beats chance" in words.trust_line(weak, None, None)
    unknown = dataclasses.replace(made.points(), null_95=np.full(3, np.nan))
    assert "was not drawn" in words.trust_line(unknown, None, None)


def test_a_model_reads_with_group_errors_and_whether_it_was_projected() -> None:
    points = made.points()
    assert words.point_line(points, "Zeta") == (
        "Zeta: group B, PC1 −2.00 ± 0.20, PC2 1.00 ± 0.30, PC3 0.50 ± 0.10"
    )
    assert words.point_line(points, "Newcomer") == (
        "Newcomer: only projected, PC1 0.00, PC2 −2.00, PC3 0.30"
    )


def test_correlations_read_with_r_p_adjusted_and_n() -> None:
    data = made.correlations("performance")
    assert words.correlation_line(data, "ImageNet", 1) == (
        "ImageNet with PC1: r −0.80, p < 0.001, adjusted 0.020, 4 models"
    )
    assert "does not survive correction" in words.correlation_line(data, "Cars", 1)
    assert words.correlation_line(data, "Cars", 2) == (
        "Cars with PC2: no correlation, 2 models with both."
    )
    assert words.survives(data).tolist() == [[True, False, False], [False, False, False]]
    assert words.correlation_note(data).startswith("1 of 5 correlations survive")


def test_gains_read_in_points_with_their_interval() -> None:
    data = made.ensembles()
    assert words.gain_line(data, "Zeta", "Alpha") == (
        "Zeta (70.1 %) with Alpha (65.2 %): +2.0 [+1.5, +2.5] points over the better one"
    )
    assert words.gain_line(data, "Alpha", "Mid").endswith("0 is within the interval")
    assert words.gain_line(data, "Mid", "Mid") == "Mid: 80.0 % in linear probe"
    counted = words.gains_count(data)
    assert counted[0, 1]
    assert counted[0, 2]
    assert not counted[1, 2]
    assert not counted[0, 0]


def test_the_choice_of_groups_says_what_the_silhouette_prefers() -> None:
    assert words.choice_note(made.groups()) == (
        "2 groups chosen (★). The silhouette by itself prefers 3 (0.45)."
    )
    agreed = dataclasses.replace(made.groups(), chosen=3)
    assert "also prefers 3" in words.choice_note(agreed)


def test_the_legend_names_groups_and_never_models() -> None:
    text = words.legend(made.points(), has_ellipses=True)
    assert "group A (2)" in text
    assert "hollow" in text
    assert "95 %" in text
    assert not any(model in text for model in made.MODELS)
