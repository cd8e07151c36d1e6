"""How many images run best in one forward."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel

_REUSED = 24 << 20


def images_at_once(model: LoadedModel, most: int) -> int:
    """The images of a forward: `most`, but on the processor no more than stay fast.

    There, tensors above 32 MiB come from the system anew at every layer, as does whatever is freed
    beyond 64 MiB (glibc's largest `M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD`), and clearing their
    pages takes as long as the layer itself. With 24 MiB for the largest tensor between two layers,
    a layer's input and output stay in memory that is used again.
    """
    if model.device.type != "cpu":
        return most
    trace = model.trace
    sizes = [math.prod(call.output_shape or ()) for call in trace.calls]
    largest = 4 * max(sizes, default=1) / len(trace.images)
    return max(1, min(most, int(_REUSED / largest)))
