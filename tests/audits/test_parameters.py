from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.audits import AUDITS, parameter_fields, parse_parameters
from analysis.audits.parameters import parameters_from_json
from analysis.errors import AuditError


@pytest.mark.parametrize("name", AUDITS)
def test_every_parameter_is_documented_and_its_default_fits(name: str) -> None:
    parameters = AUDITS[name].parameters
    fields = parameter_fields(parameters)
    assert all(len(field.help) > 10 for field in fields)
    defaults = {field.name: str(field.default) for field in fields}
    assert parse_parameters(parameters, defaults) == parameters()


def test_the_parameters_everyone_relies_on_exist() -> None:
    concepts = {field.name for field in parameter_fields(AUDITS["concepts"].parameters)}
    assert {"preset", "group_by", "components", "layer_a", "layer_b"} <= concepts
    assert "layers" in {field.name for field in parameter_fields(AUDITS["layers"].parameters)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"colour": "red"}, "no parameter “colour”"),
        ({"components": "many"}, "components"),
        ({"components": "1"}, "components"),
        ({"components": "3.5"}, "components"),
        ({"preset": "best"}, "preset"),
        ({"penalty": "nan"}, "penalty"),
        ({"penalty": "-1"}, "penalty"),
        ({"seed": "9" * 30}, "seed"),
        ({"components": None}, "components"),
    ],
)
def test_wrong_values_are_refused_with_a_hint(values: dict[str, str], expected: str) -> None:
    with pytest.raises(AuditError, match=expected) as caught:
        parse_parameters(AUDITS["concepts"].parameters, values)
    assert caught.value.hint


@given(
    components=st.integers(2, 100),
    penalty=st.floats(1e-6, 10),
    classes=st.text(max_size=40),
    seed=st.integers(0, 2**31 - 1),
)
def test_parameters_survive_the_project_file(
    components: int, penalty: float, classes: str, seed: int
) -> None:
    parameters = AUDITS["concepts"].parameters(
        components=components, penalty=penalty, classes=classes, seed=seed
    )
    read = parameters_from_json(type(parameters), json.dumps(dataclasses.asdict(parameters)))
    assert dataclasses.asdict(read) == dataclasses.asdict(parameters)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"components": 1e99}', '{"unknown": 1}'])
def test_damaged_parameters_are_an_error(text: str) -> None:
    with pytest.raises(AuditError):
        parameters_from_json(AUDITS["concepts"].parameters, text)
