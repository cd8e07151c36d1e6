"""The operations that an exported network may use, and what its numbers for types stand for.

All are functions of tensors and numbers alone. Left out is what reads or writes files
(`from_file`), looks at memory by address or stride (`as_strided`, `set_`), makes random numbers,
or trains.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch

_TENSOR_NAMES = """
    _adaptive_avg_pool2d _log_softmax _native_batch_norm_legit_no_training
    _scaled_dot_product_attention_math _softmax _to_copy _unsafe_index _unsafe_view
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa abs acos adaptive_avg_pool1d
    adaptive_avg_pool2d adaptive_max_pool2d add addbmm addcdiv addcmul addmm alias all amax amin
    any arange argmax argmin argsort asin atan atan2 avg_pool1d avg_pool2d baddbmm batch_norm
    bitwise_and bitwise_not bitwise_or bmm broadcast_to cat ceil celu channel_shuffle chunk clamp
    clamp_max clamp_min clone concat constant_pad_nd contiguous conv1d conv2d conv_transpose2d
    convolution copy cos cumsum detach div dot dropout einsum elu embedding empty_like eq erf exp
    expand expand_as expm1 feature_dropout fill flatten flip floor floor_divide fmod full
    full_like gather ge gelu glu grid_sampler grid_sampler_2d group_norm gt hardshrink hardsigmoid
    hardswish hardtanh im2col index index_select instance_norm isinf isnan item layer_norm le
    leaky_relu lerp lift_fresh lift_fresh_copy linalg_vector_norm linear log log1p log2
    log_sigmoid log_softmax logical_and logical_not logical_or logical_xor logsumexp lt
    masked_fill matmul max max_pool1d max_pool2d max_pool2d_with_indices maximum mean meshgrid min
    minimum mish mm movedim mul mv narrow native_group_norm native_layer_norm ne neg new_empty
    new_full new_ones new_zeros norm numel numpy_T ones ones_like pad permute pixel_shuffle
    pixel_unshuffle pow prelu prod reciprocal reflection_pad2d relu relu6 remainder repeat
    repeat_interleave replication_pad2d reshape reshape_as rms_norm roll round rsqrt rsub
    scalar_tensor scaled_dot_product_attention scatter select select_scatter selu sigmoid sign
    silu sin slice slice_scatter softmax softplus softshrink sort split split_with_sizes sqrt
    square squeeze stack std std_mean sub sum sym_numel sym_size sym_stride t tan tanh
    tensor_split threshold tile to topk transpose tril triu true_divide type_as unbind unflatten
    unfold unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze upsample_bicubic2d
    upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
    _upsample_nearest_exact2d var var_mean view view_as where zeros zeros_like
"""
TENSOR_FUNCTIONS = frozenset(_TENSOR_NAMES.split())
"""Names of ATen operations, each also in its in-place form (`relu_`)."""

SKIPPED = frozenset(
    {
        "_assert_async",
        "_assert_scalar",
        "_assert_tensor_metadata",
        "sym_constrain_range",
        "sym_constrain_range_for_size",
    }
)
"""Checks that a graph makes of its own sizes: nothing is computed by them."""

_NUMBER_NAMES = "add sub mul truediv floordiv mod neg pos eq ne lt le gt ge and_ or_ not_ getitem"
NUMBER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"_operator.{name}": getattr(operator, name) for name in _NUMBER_NAMES.split()},
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.trunc": math.trunc,
    "torch.sym_float": float,
    "torch.sym_int": int,
    "torch.sym_max": max,
    "torch.sym_min": min,
    "torch.sym_not": operator.not_,
    "torch.sym_sum": lambda numbers: sum(numbers),
}
"""Arithmetic of sizes, where a network takes images of any size."""

DTYPES: dict[int, torch.dtype] = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
"""Types by the numbers of torch.export's schema."""

MEMORY_FORMATS: dict[int, torch.memory_format] = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    4: torch.preserve_format,
}
"""Memory orders by the numbers of torch.export's schema."""
