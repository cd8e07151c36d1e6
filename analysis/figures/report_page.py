"""The report as one web page that needs nothing else: no scripts, no other files, no network."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from analysis.figures.report_document import (
    Bullets,
    FindingCard,
    Heading,
    Lines,
    Notice,
    NumberedFigure,
    NumberedTable,
    Paragraph,
    ReportDocument,
)

_MEDIA = {"svg": "image/svg+xml", "jpeg": "image/jpeg", "png": "image/png"}
_LONG_WORD = 24  # letters; what is longer is a hash or a path

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.5rem; }
header { border-bottom: 2px solid #1a1a1a; padding-bottom: 1.2rem; margin-bottom: 1.6rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
h1, h2, h3, p, li, dd, figcaption, caption, summary { overflow-wrap: anywhere; }
.subtitle { font-size: 1.1rem; margin: 0 0 1rem; }
.quiet { color: #5f5f5f; font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: 0; }
dt { color: #5f5f5f; } dd { margin: 0; }
nav ol { columns: 2; column-gap: 2rem; padding-left: 1.4rem; margin: .4rem 0 0; }
nav li { break-inside: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; margin: .8rem 0 1.2rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .4rem; font-size: .9rem; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid #8c8c8c; }
th, td { padding: .3rem .8rem .3rem 0; vertical-align: top; }
td { border-bottom: 1px solid #e6e6e6; }
td.long { overflow-wrap: anywhere; font-size: .78rem; }
figure { margin: 1.4rem 0 2rem; break-inside: avoid; }
figure img { height: auto; display: block; max-width: 100%; }
figcaption { font-size: .9rem; margin-top: .5rem; }
figcaption b, caption b, details b { margin-right: .3em; }
article { border: 1px solid #ccc; border-left: 5px solid #8c8c8c; border-radius: 4px;
  padding: .8rem 1.1rem 1rem; margin: 1rem 0 1.4rem; break-inside: avoid; }
article h3 { margin: 0 0 .2rem; }
article img { max-width: 100%; height: auto; display: block; margin-top: .8rem;
  border: 1px solid #ddd; }
article.high { border-left-color: #1a1a1a; } article.low { border-left-color: #cfcfcf; }
.tag { border: 1px solid #bbb; border-radius: 1em; padding: 0 .6em; margin-right: .3em; }
.notice { border: 1px dashed #8c8c8c; padding: .5rem .8rem; color: #5f5f5f; }
pre { background: #f5f5f5; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .82rem; }
details { margin: .6rem 0; } details summary { cursor: pointer; }
a { color: #0072B2; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } nav { display: none; } }
"""


def report_page(document: ReportDocument) -> bytes:
    """The whole page (UTF-8). Whatever a project holds stands in it as text, never as markup."""
    chapters = [
        part for part in document.parts if isinstance(part, Heading) and part.level == 1
    ]  # fmt: skip
    links = "".join(
        f'<li><a href="#chapter-{place}">{escape(chapter.text)}</a></li>'
        for place, chapter in enumerate(chapters, 1)
    )
    facts = "".join(
        f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in document.facts
    )
    subtitle = f'<p class="subtitle">{escape(document.subtitle)}</p>' if document.subtitle else ""
    body = [
        f"<header><h1>{escape(document.title)}</h1>{subtitle}<dl>{facts}</dl>"
        f'<p class="quiet">Written by {escape(document.written_by)}</p></header>',
        f'<nav aria-label="Contents"><b>Contents</b><ol>{links}</ol></nav>',
    ]
    chapter = 0
    for part in document.parts:
        if isinstance(part, Heading) and part.level == 1:
            chapter += 1
            body.append(f'<h2 id="chapter-{chapter}">{escape(part.text)}</h2>')
        else:
            body.append(_WRITERS[type(part)](part))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " img-src data:; style-src 'unsafe-inline'\">\n"
        f'<meta name="generator" content="{escape(document.written_by)}">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    ).encode()


def _heading(part: Heading) -> str:
    return f"<h3>{escape(part.text)}</h3>"


def _paragraph(part: Paragraph) -> str:
    quiet = ' class="quiet"' if part.quiet else ""
    return f"<p{quiet}>{escape(part.text)}</p>"


def _bullets(part: Bullets) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in part.items) + "</ul>"


def _figure(part: NumberedFigure) -> str:
    caption = f"<figcaption><b>Figure {part.number}.</b>{escape(part.caption)}</figcaption>"
    if not part.data:
        return f'<figure><p class="notice">This figure has not been drawn.</p>{caption}</figure>'
    image = _image(part.format, part.data, part.text, f' width="{part.width}%"')
    return f"<figure>{image}{caption}</figure>"


def _image(format: str, data: bytes, text: str, more: str = "") -> str:
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{escape(text)}" src="data:{_MEDIA[format]};base64,{encoded}"{more}>'


def _table(part: NumberedTable) -> str:
    name = f"<b>Table {part.number}.</b>{escape(part.caption)}"
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in part.table.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in part.table.rows
    )
    inside = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    if part.quiet:
        return f"<details><summary>{name}</summary><table>{inside}</table></details>"
    return f'<div class="wide"><table><caption>{name}</caption>{inside}</table></div>'


def _cell(text: str) -> str:
    """A cell; hashes and names of one long word may break anywhere, words may not."""
    longest = max((len(word) for word in text.split()), default=0)
    kind = ' class="long"' if longest > _LONG_WORD else ""
    return f"<td{kind}>{escape(text)}</td>"


def _finding(part: FindingCard) -> str:
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in part.tags)
    about = " · ".join(escape(text) for text in (part.where, part.recorded) if text)
    return "".join(
        (
            f'<article class="{escape(part.severity)}"><h3>{escape(part.title)}</h3>',
            f"<p>{part.sign} {escape(part.verdict)} · {escape(part.severity)} severity {tags}</p>",
            *(f"<p>{escape(text)}</p>" for text in part.note),
            f'<p class="quiet">{about}</p>' if about else "",
            _image("png", part.picture, part.picture_text) if part.picture else "",
            "</article>",
        )
    )


def _lines(part: Lines) -> str:
    return f"<pre>{escape(chr(10).join(part.lines))}</pre>"


def _notice(part: Notice) -> str:
    return f'<p class="notice">{escape(part.text)}</p>'


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Bullets: _bullets,
    NumberedFigure: _figure,
    NumberedTable: _table,
    FindingCard: _finding,
    Lines: _lines,
    Notice: _notice,
}
