"""Compositions: their JSON, which is not trusted, and how their blocks are moved."""

from __future__ import annotations

import json

import pytest

from analysis.errors import AuditError
from analysis.figures.report_composition import (
    BLOCKS,
    MOST_BLOCKS,
    AppendixBlock,
    ChapterBlock,
    Composition,
    DetailsBlock,
    FigureBlock,
    FindingBlock,
    FindingsBlock,
    LeftOutBlock,
    LimitsBlock,
    ModelsBlock,
    SummaryBlock,
    TableBlock,
    TextBlock,
    composition_from_json,
    composition_to_json,
    numbered,
    reordered,
    with_block,
)

WHOLE = Composition(
    "A title",
    "and what it is about",
    numbered(
        (
            SummaryBlock(),
            FindingsBlock(),
            ModelsBlock(),
            ChapterBlock(run=3),
            FigureBlock(
                figure="layers",
                run=3,
                parameters={"measure": "cka", "depth": True, "low": 0.5, "n": 2},
                caption="“Ünlike”",
                text="a heatmap",
                width=75,
            ),
            FigureBlock(figure="concepts"),
            DetailsBlock(run=3),
            FindingBlock(finding=2, caption="seen twice"),
            TableBlock(table="concept", run=3, caption="all", rows=7),
            TextBlock(heading="Mine", text="one\n\ntwo", chapter=True),
            LeftOutBlock(),
            LimitsBlock(),
            AppendixBlock(),
        )
    ),
)


def test_every_kind_of_block_survives_json():
    assert {type(block) for block in WHOLE.blocks} == set(BLOCKS.values())
    text = json.dumps(composition_to_json(WHOLE))
    assert composition_from_json(json.loads(text)) == (WHOLE, ())


@pytest.mark.parametrize(
    "value",
    [None, 3, "blocks", [], {}, {"blocks": None}, {"blocks": {"kind": "summary"}}],
)
def test_what_is_no_composition_is_refused(value):
    with pytest.raises(AuditError, match="damaged") as caught:
        composition_from_json(value)
    assert "template" in caught.value.hint


def test_far_too_many_blocks_are_refused():
    with pytest.raises(AuditError, match=f"{MOST_BLOCKS + 1} parts"):
        composition_from_json({"blocks": [{"kind": "summary"}] * (MOST_BLOCKS + 1)})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (7, "damaged"),
        ({}, "does not know its kind"),
        ({"kind": "hologram"}, "does not know its kind"),
        ({"kind": ["figure"]}, "does not know its kind"),
        ({"kind": "chapter"}, "what it shows"),
        ({"kind": "chapter", "run": None}, "what it shows"),
        ({"kind": "chapter", "run": "3"}, "its run"),
        ({"kind": "chapter", "run": True}, "its run"),
        ({"kind": "chapter", "run": -1}, "its run"),
        ({"kind": "chapter", "run": 10**30}, "its run"),
        ({"kind": "figure"}, "what it shows"),
        ({"kind": "figure", "figure": 3}, "its figure"),
        ({"kind": "figure", "figure": "layers", "width": 33}, "its width"),
        ({"kind": "figure", "figure": "layers", "width": "75"}, "its width"),
        ({"kind": "figure", "figure": "layers", "parameters": [1]}, "its parameters"),
        ({"kind": "figure", "figure": "layers", "parameters": {"a": {}}}, "its parameters"),
        ({"kind": "figure", "figure": "layers", "caption": "x" * 20_001}, "its caption"),
        ({"kind": "table", "table": "unit", "rows": 10**6}, "its rows"),
        ({"kind": "finding", "finding": 1.5}, "its finding"),
        ({"kind": "text", "text": {"markup": 1}}, "its text"),
        ({"kind": "text", "text": "a", "chapter": 1}, "its chapter"),
    ],
)
def test_a_damaged_block_is_left_out_with_a_note(entry, reason):
    value = {"blocks": [{"kind": "summary"}, entry, {"kind": "limits"}]}
    composition, notes = composition_from_json(value)
    assert [block.kind for block in composition.blocks] == ["summary", "limits"]
    assert [block.id for block in composition.blocks] == [1, 2]
    assert len(notes) == 1
    assert notes[0].startswith("Part 2 was left out")
    assert reason in notes[0]


def test_unknown_fields_and_damaged_titles_are_ignored():
    value = {
        "title": 7,
        "subtitle": "x" * 1000,
        "id": 3,
        "blocks": [{"kind": "text", "text": "kept", "colour": "red", "id": 99}],
    }
    composition, notes = composition_from_json(value)
    assert composition == Composition("", "", (TextBlock(id=1, text="kept"),))
    assert notes == ()


def test_blocks_are_added_behind_another_and_keep_their_ids():
    whole, added = with_block(WHOLE, TextBlock(text="new"), after=2)
    assert whole.blocks[2] == added
    assert added.id == len(WHOLE.blocks) + 1
    assert [block for block in whole.blocks if block is not added] == list(WHOLE.blocks)
    assert with_block(WHOLE, TextBlock())[0].blocks[-1].kind == "text"
    assert with_block(Composition(), TextBlock(), after=9)[1].id == 1


def test_reordering_loses_nothing():
    order = [5, 3, 99, 1]
    moved = reordered(WHOLE, order)
    assert [block.id for block in moved.blocks[:3]] == [5, 3, 1]
    assert [block.id for block in moved.blocks[3:]] == [2, 4, *range(6, 14)]
    assert sorted(moved.blocks, key=lambda block: block.id) == list(WHOLE.blocks)


def test_runs_are_told_in_order():
    assert WHOLE.runs() == (3,)
    more, _ = with_block(WHOLE, FigureBlock(figure="profiles", run=8))
    assert more.runs() == (3,)
    assert more.all_runs() == (3, 8)
