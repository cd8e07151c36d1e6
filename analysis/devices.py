"""Which processor runs the analysis, and how many threads it may take."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    if (name == "cuda" and not has_cuda) or (name == "mps" and not has_mps):
        raise AuditError(f"This machine has no {name.upper()} device.", "Choose auto or cpu.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """One line for the status bar and the provenance, as “CPU, 2 threads”."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"


def accelerator_memory() -> tuple[int, int] | None:
    """Bytes in use and bytes in all of the GPU that the analysis works on.

    None where it works on none, or has not begun: nothing is loaded or woken to find out.
    """
    # Another thread may be in the middle of loading torch: then its parts are not there yet.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if not getattr(cuda, "is_initialized", bool)():
        return None
    free, total = cuda.mem_get_info()  # type: ignore[union-attr]
    return total - free, total


def limit_threads(spare: int = 1) -> int:
    """Leave `spare` cores to the window while analysis runs; returns the threads torch takes."""
    import torch

    threads = max(1, (os.cpu_count() or 1) - spare)
    torch.set_num_threads(threads)
    return threads


# Algebra on fewer numbers than this gains nothing from threads: they wait for one another longer
# than they compute, ten times longer on a busy machine.
_WORTH_SHARING = 2_000_000


@contextmanager
def algebra_threads(numbers: int) -> Iterator[None]:
    """Run algebra on an array of so many numbers on one thread where that is faster.

    One thread also gives the same digits whatever number of cores the rest may use.
    """
    import torch

    before = torch.get_num_threads()
    if numbers < _WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
