"""The report as one web page that needs nothing else: no scripts, no other files, no network."""

from __future__ import annotations

import base64
from html import escape

from analysis.figures.report_parts import Picture, ReportContent, ReportTable, Section

_MEDIA = {"svg": "image/svg+xml", "jpeg": "image/jpeg"}

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
h1, h2, h3, p, li, td, figcaption { overflow-wrap: anywhere; }
.quiet { color: #5f5f5f; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; margin: .6rem 0 1rem;
  font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid #8c8c8c; }
th, td { padding: .3rem .8rem .3rem 0; vertical-align: top; }
td { border-bottom: 1px solid #e6e6e6; }
figure { margin: 1.4rem 0 2rem; break-inside: avoid; }
figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: .9rem; margin-top: .5rem; }
pre { background: #f5f5f5; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .82rem; }
details summary { cursor: pointer; }
nav a { margin-right: 1.2rem; }
a { color: #0072B2; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } nav { display: none; } }
"""


def report_page(content: ReportContent) -> bytes:
    """The whole page (UTF-8). Whatever a project holds stands in it as text, never as markup."""
    sections = [_section(index, section) for index, section in enumerate(content.sections)]
    links = "".join(
        f'<a href="#section-{index}">{escape(section.title)}</a>'
        for index, section in enumerate(content.sections)
    )
    body = [
        f"<h1>{escape(content.title)}</h1>",
        f'<p class="quiet">Comparison of vision models by their visual concepts · written by'
        f" {escape(content.written_by)}</p>",
        f'<nav aria-label="Contents">{links}<a href="#limits">Limits</a>'
        '<a href="#again">Making it again</a></nav>',
        *(f"<p>{escape(sentence)}</p>" for sentence in content.summary),
        "<h2>Models and images</h2>",
        _table(content.models),
        *([_table(content.images)] if content.images.rows else []),
        "<h3>Runs</h3>",
        _table(content.runs),
        *sections,
        *_problems(content),
        '<h2 id="limits">What these numbers cannot say</h2>',
        _list(content.limits),
        '<h2 id="again">Making it again</h2>',
        "<p>FOLDER stands for the folder of the images; weights files are named without"
        " their folder. The same weights and images (compare the hashes above) give the same"
        " numbers.</p>",
        f"<pre>{escape(chr(10).join(content.commands))}</pre>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " img-src data:; style-src 'unsafe-inline'\">\n"
        f'<meta name="generator" content="{escape(content.written_by)}">\n'
        f"<title>{escape(content.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    ).encode()


def _section(index: int, section: Section) -> str:
    parts = [
        f'<h2 id="section-{index}">{escape(section.title)}</h2>',
        *(f"<p>{escape(text)}</p>" for text in section.paragraphs),
        "<h3>How to read it</h3>",
        _list(section.how_to_read),
        *(_picture(picture) for picture in section.pictures),
        *(f"<h3>{escape(one.title)}</h3>{_table(one.table)}" for one in section.tables),
        f"<details><summary>Parameters of the run</summary>{_table(section.parameters)}</details>",
    ]
    return "\n".join(parts)


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.data).decode()
    return (
        f'<figure><img alt="{escape(picture.text)}" src="data:{_MEDIA[picture.format]};base64,'
        f'{data}"><figcaption>{escape(picture.caption)}</figcaption></figure>'
    )


def _problems(content: ReportContent) -> list[str]:
    if not content.problems.rows:
        return []
    return ["<h2>What was left out</h2>", _table(content.problems)]


def _table(table: ReportTable) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _list(items: tuple[str, ...]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
