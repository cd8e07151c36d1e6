"""How findings stand in a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analysis.figures.report_document import FindingCard
from analysis.figures.words import count, plain
from analysis.project.findings import SEVERITIES, VERDICTS, Finding

if TYPE_CHECKING:
    from analysis.project import Project

VERDICT_SIGNS: Mapping[str, str] = {
    "expected": "✓",
    "suspicious": "◆",
    "spurious": "✕",
    "needs review": "○",
}


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """The most severe first, of equals the oldest."""
    return sorted(findings, key=lambda one: (-SEVERITIES.index(one.severity), one.id))


def findings_sentence(findings: Sequence[Finding]) -> str:
    """How many findings there are, and how they were judged."""
    amounts = Counter(one.verdict for one in findings)
    judged = ", ".join(f"{amounts[one]} {_word(one)}" for one in VERDICTS if amounts[one])
    severe = sum(one.severity == "high" for one in findings)
    more = f"; {severe} of high severity" if severe else ""
    return f"{count(len(findings), 'finding')} recorded: {judged}{more}."


def _word(verdict: str) -> str:
    return "to be reviewed" if verdict == "needs review" else verdict


def finding_card(project: Project, finding: Finding) -> FindingCard:
    """A finding with its picture and where it was made."""
    picture = project.finding_picture(finding.id)
    place = finding_place(project, finding)
    return FindingCard(
        title=plain(finding.title),
        verdict=finding.verdict,
        sign=VERDICT_SIGNS[finding.verdict],
        severity=finding.severity,
        tags=tuple(plain(tag) for tag in finding.tags),
        where=place,
        note=paragraphs(finding.note),
        picture=picture.data if picture is not None else b"",
        picture_text=f"The view as it was seen: {place}" if place else "The view as it was seen",
        recorded=finding.created[:10],
    )


def finding_place(project: Project, finding: Finding) -> str:
    """The perspective and the run, in words; the run may have been removed since."""
    parts = [plain(finding.perspective).capitalize()] if finding.perspective else []
    if finding.run is not None:
        name = project.value("SELECT name FROM run WHERE id = ?", (finding.run,))
        if name is not None:
            parts.append(f"{plain(name)} (run {finding.run})")
    if len(parts) == 2 and parts[1].startswith(parts[0]):
        del parts[0]
    return ", ".join(parts)


def paragraphs(text: str) -> tuple[str, ...]:
    """Texts of one line each: an empty line begins a new paragraph, a line break is a space."""
    blocks = text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n")
    return tuple(line for line in (plain(block) for block in blocks) if line)
