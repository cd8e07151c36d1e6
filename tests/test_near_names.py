"""Hints for names that nothing has."""

from __future__ import annotations

from analysis.near_names import name_hint


def test_a_name_like_another_is_suggested_before_the_rest() -> None:
    hint = name_hint("concpts", ["concepts", "layers"], "The audits are concepts, layers.")
    assert hint == "Did you mean “concepts”? The audits are concepts, layers."


def test_case_does_not_count() -> None:
    assert name_hint("lite0", ["Lite0", "ViT"], "") == "Did you mean “Lite0”?"


def test_what_is_like_nothing_gets_the_rest_alone() -> None:
    assert name_hint("zebra", ["concepts", "layers"], "Look.") == "Look."
    assert name_hint("zebra", [], "Look.") == "Look."


def test_a_very_long_name_is_like_nothing() -> None:
    assert name_hint("concepts" * 100_000, ["concepts" * 100_000], "Look.") == "Look."
