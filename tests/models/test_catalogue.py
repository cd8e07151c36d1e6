from __future__ import annotations

import pytest
from torch import nn

from analysis.models import catalogue
from analysis.models.specification import parse_specification


@pytest.fixture
def no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building any network fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(nn.Module, "__init__", refuse)


def test_lists_both_libraries_without_building_anything(no_networks: None):
    for function in (catalogue.timm_entries, catalogue.torchvision_entries):
        function.cache_clear()
    entries = catalogue.catalogue()
    texts = {entry.text for entry in entries}
    assert {"timm:tf_efficientnet_lite0.in1k", "torchvision:squeezenet1_1"} <= texts
    assert len(entries) == len(texts) > 1000
    assert {entry.library for entry in entries} == {"timm", "torchvision", "sample"}
    for entry in entries[:: max(1, len(entries) // 60)]:
        assert parse_specification(entry.text).architecture == entry.architecture
