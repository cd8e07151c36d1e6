"""The audits there are."""

from __future__ import annotations

from functools import cache

from analysis.audits.concepts import ConceptsAudit, ConceptsParameters
from analysis.audits.dissection import DissectionAudit, DissectionParameters
from analysis.audits.embedding import EmbeddingAudit, EmbeddingParameters
from analysis.audits.evaluation import EvaluationAudit, EvaluationParameters
from analysis.audits.layers import LayersAudit, LayersParameters
from analysis.audits.plan import AuditDefinition
from analysis.audits.saliency import SaliencyAudit, SaliencyParameters
from analysis.audits.semantics import SemanticsAudit, SemanticsParameters
from analysis.errors import AuditError
from analysis.near_names import name_hint


@cache
def audit_definitions() -> dict[str, AuditDefinition]:
    """Audits by name."""
    definitions = (
        AuditDefinition(
            name="concepts",
            title="Concepts",
            description="Which concepts of one model can the other predict, and which not?",
            parameters=ConceptsParameters,
            audit=ConceptsAudit(),
            views=("concepts",),
        ),
        AuditDefinition(
            name="layers",
            title="Layers",
            description="How similar are the concepts of every layer of one model to the other's?",
            parameters=LayersParameters,
            audit=LayersAudit(),
            views=("layers",),
        ),
        AuditDefinition(
            name="dissection",
            title="Dissection",
            description="Which visual concept does each unit of each model stand for?",
            parameters=DissectionParameters,
            audit=DissectionAudit(),
            least_models=1,
            most_models=None,
            views=("units", "embedding"),
        ),
        AuditDefinition(
            name="evaluation",
            title="Evaluation",
            description="How well do the features of each model tell the classes apart?",
            parameters=EvaluationParameters,
            audit=EvaluationAudit(),
            least_models=1,
            most_models=None,
            views=("embedding",),
        ),
        AuditDefinition(
            name="embedding",
            title="Learned concepts embedding",
            description="Where do dissected models lie, by the concepts their units know?",
            parameters=EmbeddingParameters,
            audit=EmbeddingAudit(),
            least_models=2,
            most_models=None,
            takes_images=False,
            takes_weights=False,
            views=("embedding",),
        ),
        AuditDefinition(
            name="saliency",
            title="Saliency",
            description="Where does each model look, and how far may the map be believed?",
            parameters=SaliencyParameters,
            audit=SaliencyAudit(),
            least_models=1,
            most_models=None,
            views=("saliency",),
        ),
        AuditDefinition(
            name="semantics",
            title="Semantics",
            description="How alike are two models' feature spaces, seen from concepts?",
            parameters=SemanticsParameters,
            audit=SemanticsAudit(),
            views=("semantics",),
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
            f"There is no audit “{name}”.",
            name_hint(name, definitions, f"The audits are {', '.join(definitions)}."),
        )
    return definitions[name]
