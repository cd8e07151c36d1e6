"""The libraries' own trained weights: from the machine's caches, else downloaded if asked for.

Nothing here waits long: a machine without a network is told so within seconds.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from analysis.errors import AuditError
from analysis.models.checkpoints import read_tensors

_CONNECT_SECONDS = 4.0
_READ_SECONDS = 20.0
_CHUNK = 1 << 20
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
_OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_HINT = (
    "Connect to the network, give a weights file (…@FILE), or ask for an untrained network"
    " (?pretrained=false)."
)


class UnreachableWeightsError(AuditError):
    """Trained weights are not on this machine, and there is no network to have them from."""


def hub_weights(configuration: Mapping[str, Any], name: str) -> dict[str, torch.Tensor]:
    """The trained weights that a timm configuration names, as tensors by name.

    The Hugging Face cache is looked at first, then the hub, then a plain address.

    :param configuration: timm's pretrained configuration (`hf_hub_id`, `hf_hub_filename`, `url`).
    :param name: of the model, for messages.
    :raises AuditError: there are no such weights, or they are not on this machine and it is
        offline.
    """
    repository = configuration.get("hf_hub_id")
    if repository:
        return read_tensors(_hub_file(repository, configuration.get("hf_hub_filename"), name))
    address = configuration.get("url")
    if isinstance(address, str):
        return read_tensors(cached_download(address, name))
    raise AuditError(
        f"There are no trained weights for {name}.",
        "Give a weights file (…@FILE), or ask for an untrained network (?pretrained=false).",
    )


def check_online(address: str, name: str) -> None:
    """Return if the host of `address` (or the proxy in front of it) answers within seconds.

    :raises UnreachableWeightsError: it does not, or the machine is set to stay offline.
    """
    if any(os.environ.get(variable, "").upper() in {"1", "ON", "YES", "TRUE"}
           for variable in _OFFLINE_VARIABLES):  # fmt: skip
        raise UnreachableWeightsError(
            f"The trained weights of {name} are not on this machine, and it is set to stay"
            " offline.",
            _HINT,
        )
    target = urllib.parse.urlsplit(address)
    proxy = urllib.request.getproxies().get(target.scheme)
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = target.port or (80 if target.scheme == "http" else 443)
    try:
        socket.create_connection((target.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise UnreachableWeightsError(
            f"The trained weights of {name} are not on this machine, and {target.hostname}"
            " cannot be reached.",
            _HINT,
        ) from error


def cached_download(address: str, name: str) -> Path:
    """The file at `address`, kept in torch's own cache; the hash in its name is checked.

    :raises UnreachableWeightsError: offline, or the download failed.
    :raises AuditError: the download is damaged.
    """
    target = _download_target(address)
    if target.is_file():
        return target
    check_online(address, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, partial = tempfile.mkstemp(dir=target.parent, suffix=".partial")
    try:
        with (
            os.fdopen(handle, "wb") as file,
            urllib.request.urlopen(address, timeout=_READ_SECONDS) as answer,
        ):
            while block := answer.read(_CHUNK):
                digest.update(block)
                file.write(block)
        expected = re.search(r"-([0-9a-f]{8,})\.", target.name)
        if expected and not digest.hexdigest().startswith(expected.group(1)):
            raise AuditError(f"The download of {name} is damaged.", "Try again later.")
        Path(partial).replace(target)
    except (OSError, urllib.error.URLError) as error:
        raise UnreachableWeightsError(
            f"The trained weights of {name} did not arrive: {error}", _HINT
        ) from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _download_target(address: str) -> Path:
    name = Path(urllib.parse.urlsplit(address).path).name
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def _cached_hub_file(repository: str, filename: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    identifier, _, revision = repository.partition("@")
    for candidate in [filename] if filename else _HUB_FILES:
        found = try_to_load_from_cache(identifier, candidate, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None


def _hub_file(repository: str, filename: str | None, name: str) -> Path:
    cached = _cached_hub_file(repository, filename)
    if cached is not None:
        return cached
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    check_online(constants.ENDPOINT, name)
    identifier, _, revision = repository.partition("@")
    for candidate in [filename] if filename else _HUB_FILES:
        try:
            return Path(
                hf_hub_download(
                    identifier,
                    candidate,
                    revision=revision or None,
                    etag_timeout=_CONNECT_SECONDS,
                )
            )
        except EntryNotFoundError:
            continue
        except Exception as error:  # the hub's client raises many kinds, by transport and version
            raise AuditError(
                f"The trained weights of {name} did not arrive from the hub: {error}", _HINT
            ) from error
    raise AuditError(f"The hub has no readable weights for {name}.", _HINT)
