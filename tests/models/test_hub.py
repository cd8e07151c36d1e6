"""Trained weights from the machine's caches, and what is said when they are not there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from analysis.errors import AuditError
from analysis.models.loading import load_model


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple]:
    """Every attempt to connect is noted and fails at once; caches are this test's own."""
    from huggingface_hub import constants

    attempts: list[tuple] = []

    def refuse(address: tuple, timeout: float | None = None, **_: object) -> None:
        attempts.append((address, timeout))
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    return attempts


@pytest.mark.parametrize("line", ["timm:test_resnet", "torchvision:resnet18"])
def test_an_unreachable_hub_is_told_within_seconds(line: str, no_network: list[tuple]):
    with pytest.raises(AuditError) as caught:
        load_model(line)
    assert "cannot be reached" in caught.value.summary
    assert "@FILE" in caught.value.hint
    assert [timeout for _, timeout in no_network] == [4.0]


@pytest.mark.parametrize("line", ["timm:test_resnet", "torchvision:resnet18"])
def test_a_machine_set_to_stay_offline_does_not_try(
    line: str, no_network: list[tuple], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AuditError, match="stay"):
        load_model(line)
    assert not no_network


def test_without_asking_for_the_hub_nothing_connects(
    no_network: list[tuple], tmp_path: Path, make_state
):
    path = tmp_path / "w.pth"
    torch.save(make_state("timm:test_resnet?pretrained=false"), path)
    load_model(f"timm:test_resnet@{path}")
    assert not no_network


def test_weights_in_the_hub_cache_need_no_network(
    tmp_path: Path, no_network: list[tuple], make_state
):
    repository = tmp_path / "hf" / "models--timm--test_resnet.r160_in1k"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    state = make_state("timm:test_resnet?pretrained=false")
    save_file(state, snapshot / "model.safetensors")
    model = load_model("timm:test_resnet", optimize=False)
    assert torch.equal(model.module.state_dict()["fc.weight"], state["fc.weight"])
    assert model.num_classes == 1000
    assert load_model("timm:test_resnet?num_classes=0", optimize=False).num_classes == 0
    with pytest.raises(AuditError, match="not 7"):
        load_model("timm:test_resnet?num_classes=7")
    assert not no_network


def test_weights_in_torchs_cache_need_no_network(
    tmp_path: Path, no_network: list[tuple], make_state
):
    from torchvision.models import SqueezeNet1_1_Weights

    state = make_state("torchvision:squeezenet1_1?pretrained=false")
    target = tmp_path / "torch" / "hub" / "checkpoints"
    target.mkdir(parents=True)
    torch.save(state, target / SqueezeNet1_1_Weights.DEFAULT.url.rpartition("/")[2])
    model = load_model("torchvision:squeezenet1_1", optimize=False)
    loaded = model.module.state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not no_network


def test_a_damaged_download_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import urllib.request

    from analysis.models import hub

    source = tmp_path / "net-0123abcd.pth"
    source.write_bytes(b"not the weights that the name promises")
    monkeypatch.setattr(hub, "check_online", lambda address, name: None)
    assert urllib.request.urlopen(source.as_uri()).read()
    with pytest.raises(AuditError, match="damaged"):
        hub.cached_download(source.as_uri(), "net")
    assert not list((tmp_path / "torch").rglob("*.p*"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("timm:resnet188", "no architecture"), ("torchvision:resnet19", "no architecture"),
        ("timm:resnet18.nothing", "no architecture"), ("sample:nothing", "no sample network"),
        ("timm:test_resnet?pretrained=false&nonsense=3", "cannot be built"),
        ("torchvision:resnet18?pretrained=false&nonsense=3", "cannot be built"),
    ],
)  # fmt: skip
def test_unknown_names_and_options(line: str, words: str):
    with pytest.raises(AuditError) as caught:
        load_model(line)
    assert words in caught.value.summary
    assert caught.value.hint
