"""Which processor runs the analysis, and how many threads it may take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from analysis.errors import AuditError

if TYPE_CHECKING:
    import torch

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """The torch device called `name`; `auto` takes CUDA, then MPS, then the CPU.

    :raises AuditError: the device is unknown or this machine lacks it.
    """
    import torch

    if name not in DEVICE_NAMES:
        raise AuditError(f"Unknown device “{name}”.", f"Choose one of {', '.join(DEVICE_NAMES)}.")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    if name == "cuda" and not has_cuda or name == "mps" and not has_mps:
        raise AuditError(f"This machine has no {name.upper()} device.", "Choose auto or cpu.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """One line for the status bar and the provenance, as “CPU, 2 threads”."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU, {torch.get_num_threads()} threads"


def limit_threads(spare: int = 1) -> int:
    """Leave `spare` cores to the window while analysis runs; returns the threads torch takes."""
    import torch

    threads = max(1, (os.cpu_count() or 1) - spare)
    torch.set_num_threads(threads)
    return threads
