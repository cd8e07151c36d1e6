"""An audit's parameters: one dataclass makes dialog, command-line options and provenance."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.errors import AuditError
from analysis.near_names import name_hint


@dataclass(frozen=True)
class ParameterField:
    """One parameter as a form or a command line shows it."""

    name: str
    kind: str  # integer, number, text, choice or boolean
    default: Any
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    help: str


def parameter(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    """A documented field of a parameters dataclass."""
    return dataclasses.field(
        default=default,
        metadata={"help": help, "choices": choices, "minimum": minimum, "maximum": maximum},
    )


_KINDS: dict[Any, str] = {int: "integer", float: "number", str: "text", bool: "boolean"}


def parameter_fields(parameters: type) -> tuple[ParameterField, ...]:
    """The fields of a parameters dataclass, in their order."""
    hints = typing.get_type_hints(parameters)
    fields = []
    for field in dataclasses.fields(parameters):
        choices = tuple(field.metadata["choices"])
        fields.append(
            ParameterField(
                name=field.name,
                kind="choice" if choices else _KINDS[hints[field.name]],
                default=field.default,
                choices=choices,
                minimum=field.metadata["minimum"],
                maximum=field.metadata["maximum"],
                help=field.metadata["help"],
            )
        )
    return tuple(fields)


def parse_parameters(parameters: type, values: Mapping[str, Any]) -> Any:
    """An instance of `parameters` from texts or plain values; what is not named keeps its default.

    :raises AuditError: an unknown name, a value of the wrong kind or out of its range.
    """
    fields = {field.name: field for field in parameter_fields(parameters)}
    parsed = {}
    for name, value in values.items():
        if name not in fields:
            raise AuditError(
                f"There is no parameter “{name}”.",
                name_hint(name, fields, f"The parameters are {', '.join(fields)}."),
            )
        parsed[name] = _parse_value(fields[name], value)
    return parameters(**parsed)


def _parse_value(field: ParameterField, value: Any) -> Any:
    problem = f"“{value}” does not fit the parameter “{field.name}”."
    if field.kind == "choice":
        if value not in field.choices:
            choices = f"Choose one of {', '.join(field.choices)}."
            raise AuditError(problem, name_hint(str(value), field.choices, choices))
        return value
    if field.kind == "text":
        return str(value)
    if field.kind == "boolean":
        return _parse_boolean(value, problem)
    try:
        number = int(str(value)) if field.kind == "integer" else float(value)
    except (ValueError, OverflowError, TypeError) as error:
        wanted = "a whole number" if field.kind == "integer" else "a number"
        raise AuditError(problem, f"Give {wanted}.") from error
    low = float("-inf") if field.minimum is None else field.minimum
    high = float("inf") if field.maximum is None else field.maximum
    if not low <= number <= high:
        raise AuditError(problem, f"Give a value between {low:g} and {high:g}.")
    return number


def _parse_boolean(value: Any, problem: str) -> bool:
    texts: Mapping[str, bool] = types.MappingProxyType(
        {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    )
    if str(value).lower() not in texts:
        raise AuditError(problem, "Give true or false.")
    return texts[str(value).lower()]


def parameters_from_json(parameters: type, text: str) -> Any:
    """Parameters as the project file keeps them: their names and values as JSON.

    :raises AuditError: the text was changed into something that is not such parameters.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise AuditError("The parameters of this run are damaged.", "Start a new run.") from error
    if not isinstance(values, dict):
        raise AuditError("The parameters of this run are damaged.", "Start a new run.")
    return parse_parameters(parameters, values)
