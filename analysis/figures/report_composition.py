"""What a report consists of: its title and its blocks in order, and their form as plain JSON.

A composition refers to runs, findings and tables by id and name; what they hold is read when the
report is written. One that comes out of a project file is not trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeVar

from analysis.errors import AuditError

LONGEST_TITLE = 300
LONGEST_TEXT = 20_000
MOST_BLOCKS = 500
MOST_TABLE_ROWS = 2000
WIDTHS = (100, 75, 50)
"""Of a picture, in percent of the page's type area."""

_VERSION = 1
_LARGEST_ID = 2**53
_MOST_PARAMETERS = 60


@dataclass(frozen=True, kw_only=True)
class Block:
    """One part of a report; `id` tells it from the others of the same composition."""

    kind: ClassVar[str] = ""
    id: int = 0


@dataclass(frozen=True, kw_only=True)
class SummaryBlock(Block):
    """The main result of every chapter, a sentence each, and how the findings were judged."""

    kind: ClassVar[str] = "summary"


@dataclass(frozen=True, kw_only=True)
class ModelsBlock(Block):
    """Models, images and runs, with the hashes of weights and images."""

    kind: ClassVar[str] = "models"


@dataclass(frozen=True, kw_only=True)
class ChapterBlock(Block):
    """An audit's chapter: what came out, and how to read it."""

    kind: ClassVar[str] = "chapter"
    run: int


@dataclass(frozen=True, kw_only=True)
class DetailsBlock(Block):
    """An audit's tables of results, and the parameters of its run."""

    kind: ClassVar[str] = "details"
    run: int


@dataclass(frozen=True, kw_only=True)
class FigureBlock(Block):
    """A figure of a run.

    :param parameters: of the figure, as `analysis.figures.export` takes them.
    :param caption: empty: the figure's own title.
    :param text: what it shows in words, for readers who cannot see it.
    :param width: percent of the type area; the figure is drawn for it.
    """

    kind: ClassVar[str] = "figure"
    figure: str
    run: int | None = None
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    caption: str = ""
    text: str = ""
    width: int = 100


@dataclass(frozen=True, kw_only=True)
class FindingBlock(Block):
    """One finding with its picture."""

    kind: ClassVar[str] = "finding"
    finding: int
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class FindingsBlock(Block):
    """A chapter with all findings that do not stand elsewhere, the most severe first."""

    kind: ClassVar[str] = "findings"


@dataclass(frozen=True, kw_only=True)
class TableBlock(Block):
    """The first rows of one of the project's tables."""

    kind: ClassVar[str] = "table"
    table: str
    run: int | None = None
    caption: str = ""
    rows: int = 25


@dataclass(frozen=True, kw_only=True)
class TextBlock(Block):
    """Text of the report's author; an empty line begins a new paragraph.

    :param chapter: whether its heading begins a chapter, which stands in the contents.
    """

    kind: ClassVar[str] = "text"
    heading: str = ""
    text: str = ""
    chapter: bool = False


@dataclass(frozen=True, kw_only=True)
class LeftOutBlock(Block):
    """Images and units of work that could not be used, with the reasons."""

    kind: ClassVar[str] = "left out"


@dataclass(frozen=True, kw_only=True)
class LimitsBlock(Block):
    """What the numbers of the reported audits cannot say."""

    kind: ClassVar[str] = "limits"


@dataclass(frozen=True, kw_only=True)
class AppendixBlock(Block):
    """The command lines that make the reported numbers again."""

    kind: ClassVar[str] = "appendix"


BLOCKS: Mapping[str, type[Block]] = {
    block.kind: block
    for block in (
        SummaryBlock, ModelsBlock, ChapterBlock, DetailsBlock, FigureBlock, FindingBlock,
        FindingsBlock, TableBlock, TextBlock, LeftOutBlock, LimitsBlock, AppendixBlock,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Composition:
    """A report: its title, what it is about, and its blocks in order."""

    title: str = ""
    subtitle: str = ""
    blocks: tuple[Block, ...] = ()

    def block(self, number: int) -> Block | None:
        """The block with this id."""
        return next((block for block in self.blocks if block.id == number), None)

    def runs(self) -> tuple[int, ...]:
        """The runs that have a chapter, in order."""
        return _runs(self.blocks, ChapterBlock)

    def all_runs(self) -> tuple[int, ...]:
        """Every run that the report shows something of."""
        return _runs(self.blocks, ChapterBlock, DetailsBlock, FigureBlock, TableBlock)


def _runs(blocks: Sequence[Block], *kinds: type[Block]) -> tuple[int, ...]:
    found = (getattr(block, "run", None) for block in blocks if isinstance(block, kinds))
    return tuple(dict.fromkeys(run for run in found if run is not None))


Some = TypeVar("Some", bound=Block)


def numbered(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks with new ids from 1 on."""
    return tuple(replace(block, id=place) for place, block in enumerate(blocks, 1))


def with_block(composition: Composition, block: Some, after: int = 0) -> tuple[Composition, Some]:
    """The composition with one block more, behind the block `after` (0: at the end); and the
    block with its new id."""
    added: Some = replace(block, id=max((one.id for one in composition.blocks), default=0) + 1)
    ids = [one.id for one in composition.blocks]
    place = ids.index(after) + 1 if after in ids else len(ids)
    before, behind = composition.blocks[:place], composition.blocks[place:]
    blocks: tuple[Block, ...] = (*before, added, *behind)
    return replace(composition, blocks=blocks), added


def reordered(composition: Composition, order: Sequence[int]) -> Composition:
    """The blocks in the order of these ids; those that are not named stay behind them."""
    place = {number: at for at, number in enumerate(order)}
    blocks = sorted(composition.blocks, key=lambda block: place.get(block.id, len(place)))
    return replace(composition, blocks=tuple(blocks))


# -- JSON --------------------------------------------------------------------------------------
def composition_to_json(composition: Composition) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "version": _VERSION,
        "title": composition.title,
        "subtitle": composition.subtitle,
        "blocks": [_block_to_json(block) for block in composition.blocks],
    }


def _block_to_json(block: Block) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": block.kind}
    for one in fields(block):
        if one.name != "id":
            value = getattr(block, one.name)
            values[one.name] = dict(value) if isinstance(value, Mapping) else value
    return values


def composition_from_json(value: object) -> tuple[Composition, tuple[str, ...]]:
    """A composition out of a file, and what of it was left out.

    Blocks of a kind that is not known and damaged ones are left out; unknown fields are ignored.
    Raises AuditError where it is no composition at all, or far too large.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("blocks"), list):
        raise AuditError(
            "This report is damaged: its blocks cannot be read.", "Begin it again from a template."
        )
    listed = value["blocks"]
    if len(listed) > MOST_BLOCKS:
        raise AuditError(
            f"This report has {len(listed):,} parts.", f"Up to {MOST_BLOCKS} can be shown."
        )
    blocks: list[Block] = []
    notes: list[str] = []
    for place, entry in enumerate(listed, 1):
        block = _block_from_json(entry)
        if isinstance(block, str):
            notes.append(f"Part {place} was left out: {block}")
        else:
            blocks.append(block)
    title, subtitle = (_text(value.get(name), LONGEST_TITLE) for name in ("title", "subtitle"))
    return Composition(title or "", subtitle or "", numbered(blocks)), tuple(notes)


def _block_from_json(entry: object) -> Block | str:
    """The block, or why there is none."""
    if not isinstance(entry, Mapping):
        return "it is damaged."
    kind = entry.get("kind")
    block = BLOCKS.get(kind) if isinstance(kind, str) else None
    if block is None:
        return "this version of Parallax does not know its kind."
    values: dict[str, Any] = {}
    for one in fields(block):
        if one.name == "id" or one.name not in entry:
            continue
        read = _READERS[one.name](entry[one.name])
        if read is None and entry[one.name] is not None:
            return f"its {one.name} is damaged."
        if read is not None or one.name == "run":
            values[one.name] = read
    try:
        made = block(**values)
    except TypeError:  # a field without a default is missing
        return "it does not say what it shows."
    if isinstance(made, ChapterBlock | DetailsBlock) and made.run is None:
        return "it does not say what it shows."
    return made


def _text(value: object, longest: int = LONGEST_TEXT) -> str | None:
    return value if isinstance(value, str) and len(value) <= longest else None


def _whole(value: object) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_ID
    return value if good else None  # type: ignore[return-value]


def _rows(value: object) -> int | None:
    number = _whole(value)
    return number if number is not None and number <= MOST_TABLE_ROWS else None


def _width(value: object) -> int | None:
    return value if value in WIDTHS and not isinstance(value, bool) else None  # type: ignore[return-value]


def _yes(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _parameters(value: object) -> dict[str, str | int | float | bool] | None:
    if not isinstance(value, Mapping) or len(value) > _MOST_PARAMETERS:
        return None
    for name, one in value.items():
        if not isinstance(name, str) or not isinstance(one, str | int | float | bool):
            return None
        if isinstance(one, str) and len(one) > LONGEST_TEXT:
            return None
    return dict(value)


_READERS: Mapping[str, Any] = {
    "run": _whole,
    "finding": _whole,
    "rows": _rows,
    "width": _width,
    "parameters": _parameters,
    "chapter": _yes,
    **dict.fromkeys(("figure", "table", "caption", "text", "heading"), _text),
}
