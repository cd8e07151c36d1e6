"""Lists of names in one text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.name_lists import join_names, split_names

NAMES = st.lists(st.text(min_size=1, max_size=12) | st.sampled_from(['"', "[]", '["a"]', ", "]))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" , ,", ()),
        ("ResNet-50, ViT-S ,BYOL", ("ResNet-50", "ViT-S", "BYOL")),
        ('"ViT-S, 224", BYOL', ("ViT-S, 224", "BYOL")),
        ('BYOL , "the ""big"" one" ', ("BYOL", 'the "big" one')),
        ('["ViT-S, 224", "BYOL"]', ("ViT-S, 224", "BYOL")),
        ("[new] ResNet,[1]", ("[new] ResNet", "[1]")),
        ("[1, 2]", ("[1", "2]")),
        ('a 5" disc, "open', ('a 5" disc', '"open')),
        ("[" * 100_000, ("[" * 100_000,)),
    ],
)
def test_names_are_read(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@given(NAMES)
def test_what_was_written_is_read_again(names: list[str]) -> None:
    assert split_names(join_names(names)) == tuple(names)


@given(NAMES)
def test_json_is_read_too(names: list[str]) -> None:
    assert split_names(json.dumps(names)) == tuple(names)


def test_plain_names_stay_plain() -> None:
    assert join_names(["ResNet-50", "ViT S", "a[0]"]) == "ResNet-50,ViT S,a[0]"
