"""The two ways of computing everything, labelled in the product and in every export."""

from __future__ import annotations

from typing import Literal, get_args

from analysis.errors import AuditError

#: `paper`: what the paper says, converged. `reference`: what its released code really computes.
Preset = Literal["paper", "reference"]


def check_preset(preset: str) -> None:
    """:raises AuditError: `preset` is neither `paper` nor `reference`."""
    if preset not in get_args(Preset):
        raise AuditError(f"Unknown preset “{preset}”.", "Choose paper or reference.")
