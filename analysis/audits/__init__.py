"""Audits: what can be asked of models, as plans of units of work. Imports no torch."""

from analysis.audits.parameters import ParameterField, parameter_fields, parse_parameters
from analysis.audits.plan import AuditDefinition, Estimate
from analysis.audits.registry import audit_definition, audit_definitions
from analysis.audits.runner import (
    create_run,
    estimate,
    execute,
    find_unfinished_run,
    suitable_models,
)

AUDITS = audit_definitions()

__all__ = [
    "AUDITS",
    "AuditDefinition",
    "Estimate",
    "ParameterField",
    "audit_definition",
    "create_run",
    "estimate",
    "execute",
    "find_unfinished_run",
    "parameter_fields",
    "parse_parameters",
    "suitable_models",
]
