"""Which models can be asked for: specifications checked and listed without loading anything."""

from __future__ import annotations

from analysis.models.specification import parse_specification


def check_specification(text: str) -> str:
    """The specification in its canonical form. Imports no torch.

    :raises AuditError: it is not one.
    """
    return parse_specification(text).text


def model_catalogue() -> tuple[str, ...]:
    """Every architecture that can be asked for, as `timm:resnet50`; imports timm."""
    from analysis.models.catalogue import catalogue

    return tuple(entry.text for entry in catalogue())
