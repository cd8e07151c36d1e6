"""What every audit is: parameters, an estimate, a plan of units of work, and a conclusion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from analysis.audits.context import RunContext
    from analysis.project import Project


@dataclass(frozen=True)
class Estimate:
    """What a run will cost, known before it starts."""

    forwards: int  # inputs passed through a network, patches counted one by one
    seconds: float | None  # None until the models' speed is known
    bytes: int  # added to the project file
    units: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """One independent piece of a run; `key` names it for good."""

    key: str
    text: str
    model: str = ""
    classes: tuple[str, ...] = ()
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class Results:
    """What one unit found: rows by table, arrays by name, and what had to be left out and why."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    problems: Sequence[tuple[str, str]] = ()


def number_or_none(value: float) -> float | None:
    """A number as the rows of results keep it: None where there is none (NaN or infinite)."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Request:
    """What a run is asked to do, before it exists: its inputs by name and id."""

    project: Project
    models: tuple[str, ...]
    image_set: int | None
    parameters: Any

    @property
    def model_a(self) -> str:
        """The first model; an audit of a pair compares it with `model_b`."""
        return self.models[0]

    @property
    def model_b(self) -> str:
        return self.models[1]


class Audit(Protocol):
    """One audit. Nothing here keeps state: all of it is in the project file."""

    def check(self, request: Request) -> None:
        """Refuse what cannot work, with an `AuditError`, before a run is made."""

    def estimate(self, request: Request) -> Estimate:
        """Forwards, seconds and bytes of the run asked for."""

    def plan(self, context: RunContext) -> Iterator[Unit]:
        """The units in order. A later unit may depend on what earlier units have committed."""

    def count_units(self, context: RunContext) -> int:
        """How many units there will be, as far as is known now."""

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        """Do one unit; must give the same results whenever and wherever it is done."""

    def conclude(self, context: RunContext) -> None:
        """Write what needs all units so far; repeatable, also called while the run goes on."""


@dataclass(frozen=True)
class AuditDefinition:
    """An audit as menus and the command line know it."""

    name: str
    title: str
    description: str
    parameters: type
    audit: Audit
    least_models: int = 2
    most_models: int | None = 2  # None: any number
    takes_images: bool = True
    takes_weights: bool = True  # False: models of imported tables will do
    views: tuple[str, ...] = ()  # perspectives that show its results

    @property
    def takes_pair(self) -> bool:
        """Whether it compares one model with another; else models are equals in a list."""
        return self.most_models == 2
