"""Loading the large native libraries without holding up the other threads.

Python holds its interpreter lock while an import loads a native library. Those of torch take about
half a second, in which a window could not answer. A foreign call gives the lock away: loaded by one
beforehand, the libraries are there when the import asks for them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARIES = ("libc10", "libtorch_cpu", "libtorch")
_SUFFIXES = (".so", ".dylib")


def load_native_libraries() -> tuple[str, ...]:
    """Load torch's libraries if torch is installed and not imported yet; returns their names.

    Where the system cannot, or a library is missing, nothing happens: the import does it then.
    """
    if sys.platform == "win32" or "torch" in sys.modules:  # there torch itself calls like this
        return ()
    specification = importlib.util.find_spec("torch")
    if specification is None or specification.origin is None:
        return ()
    folder = Path(specification.origin).parent / "lib"
    paths = (folder / f"{name}{suffix}" for name in _LIBRARIES for suffix in _SUFFIXES)
    return tuple(path.name for path in paths if path.is_file() and _load(path))


def _load(path: Path) -> bool:
    system = ctypes.CDLL(None)
    system.dlopen.restype = ctypes.c_void_p
    system.dlopen.argtypes = (ctypes.c_char_p, ctypes.c_int)
    return bool(system.dlopen(os.fsencode(path), os.RTLD_NOW))
