"""The audits there are."""

from __future__ import annotations

from functools import cache

from analysis.audits.concepts import ConceptsAudit, ConceptsParameters
from analysis.audits.layers import LayersAudit, LayersParameters
from analysis.audits.plan import AuditDefinition
from analysis.errors import AuditError


@cache
def audit_definitions() -> dict[str, AuditDefinition]:
    """Audits by name."""
    definitions = (
        AuditDefinition(
            name="concepts",
            title="Concepts",
            description="Which concepts of one model can the other predict, and which not?",
            parameters=ConceptsParameters,
            takes_pair=True,
            audit=ConceptsAudit(),
            views=("concepts",),
        ),
        AuditDefinition(
            name="layers",
            title="Layers",
            description="How similar are the concepts of every layer of one model to the other's?",
            parameters=LayersParameters,
            takes_pair=True,
            audit=LayersAudit(),
            views=("layers",),
        ),
    )
    return {definition.name: definition for definition in definitions}


def audit_definition(name: str) -> AuditDefinition:
    """The audit called `name`.

    :raises AuditError: there is none.
    """
    definitions = audit_definitions()
    if name not in definitions:
        raise AuditError(
            f"There is no audit “{name}”.", f"The audits are {', '.join(definitions)}."
        )
    return definitions[name]
