"""Errors a practitioner can act on."""

from __future__ import annotations


class AuditError(Exception):
    """What happened (`summary`) and what to do about it (`hint`), in words of the field."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.summary} {self.hint}".strip()


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """The practitioner asked a running job to stop; what is committed stays."""
