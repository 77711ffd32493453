"""Slips with channels, groups and the bias, and with where the result keeps its channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.slips.sliding import Sliding, slides

Array = NDArray[Any]


def _channels(s: Sliding, keep: Any) -> Array:
    w = np.zeros_like(s.w)
    w[:, keep] = s.w[:, keep]
    return s.but(w=w).out


@slides("channels-first", "the first channel was taken alone")
def first_alone(s: Sliding) -> Array:
    return _channels(s, slice(0, 1))


@slides("channels-last", "the last channel was taken alone: it is written over the others")
def last_alone(s: Sliding) -> Array:
    return _channels(s, slice(-1, None))


@slides("channels-without-last", "the last channel was left out")
def without_last(s: Sliding) -> Array:
    return _channels(s, slice(0, -1))


@slides("channels-mean", "the channels were averaged, not summed")
def averaged(s: Sliding) -> Array:
    return s.plain / s.w.shape[1] + s.bias[:, None, None]


@slides("channels-mean", "the channels were averaged, not summed")
def averaged_with_bias(s: Sliding) -> Array:
    return s.out / s.w.shape[1]


@slides("mean-for-sum", "the products were averaged, not summed")
def mean_of_all(s: Sliding) -> Array:
    return s.plain / s.w[0].size + s.bias[:, None, None]


@slides("mean-for-sum", "the products of a window were averaged, not summed")
def mean_of_window(s: Sliding) -> Array:
    return s.plain / s.w[0, 0].size + s.bias[:, None, None]


@slides("mean-for-sum", "the products were averaged, not summed")
def mean_of_all_and_bias(s: Sliding) -> Array:
    return s.out / s.w[0].size


@slides("kernel-normalised", "the result was divided by the sum of the kernel")
def normalised(s: Sliding) -> Array:
    return s.plain / s.w.sum((1, 2, 3))[:, None, None] + s.bias[:, None, None]


@slides("channels-first-kernel", "the first channel of the kernel was used for all channels")
def one_slice_for_all(s: Sliding) -> Array:
    return s.but(w=np.broadcast_to(s.w[:, :1], s.w.shape)).out


@slides("channels-first-input", "the first channel of the input was used for all channels")
def one_plane_for_all(s: Sliding) -> Array:
    return s.but(x=np.broadcast_to(s.x[:, :1], s.x.shape)).out


@slides("filters-first", "the first filter was used for all")
def one_filter_for_all(s: Sliding) -> Array:
    return s.but(w=np.broadcast_to(s.w[:1], s.w.shape)).out


@slides("filters-reversed", "the filters come in reverse order")
def filters_reversed(s: Sliding) -> Array:
    return s.out[:, ::-1]


@slides("channels-reversed", "the channels were read in reverse order, as RGB and BGR")
def channels_reversed(s: Sliding) -> Array:
    return s.but(w=s.w[:, ::-1]).out


def _unsummed(s: Sliding) -> Array:
    if s.groups > 1:
        raise ValueError("groups have other channels")
    made = np.einsum("nchwij,ocij->nochw", s.windows, s.w) + s.bias[:, None, None, None]
    return made[:, :, :, 0] if not s.planar else made


@slides("channels-not-summed", "the channels were not summed", raw=True)
def not_summed(s: Sliding) -> Array | None:
    return None if s.rank < 3 else _unsummed(s)


@slides("channels-not-summed", "the channels were not summed", raw=True)
def not_summed_for_one_filter(s: Sliding) -> Array | None:
    return None if s.rank < 3 else _unsummed(s)[:, 0]


@slides("channels-not-summed", "the channels were not summed", raw=True)
def not_summed_of_one_image(s: Sliding) -> Array | None:
    return None if s.rank < 3 else _unsummed(s)[0, 0]


@slides("channels-not-summed", "the channels were not summed", raw=True)
def not_summed_of_one_image_last(s: Sliding) -> Array | None:
    return None if s.rank < 3 else np.moveaxis(_unsummed(s)[0, 0], 0, -1)


@slides(
    "nhwc-result", "the channels of the result come last: (N, H, W, C) in place of (N, C, H, W)"
)
def channels_last(s: Sliding) -> Array | None:
    return None if s.rank < 3 else s.out.transpose(0, 2, 3, 1)


@slides("nchw-result", "images and channels of the result were exchanged")
def filters_before_images(s: Sliding) -> Array | None:
    return None if s.rank < 3 else s.out.transpose(1, 0, 2, 3)


# Groups.


@slides("groups-ignored", "the groups were left out: every filter reads the first channels")
def first_group_for_all(s: Sliding) -> Array:
    inputs = s.w.shape[1]
    return s.but(x=s.x[:, :inputs], groups=1).out


@slides("groups-ignored", "the groups were left out: every filter reads all channels")
def repeated_over_all(s: Sliding) -> Array:
    return s.but(w=np.tile(s.w, (1, s.groups, 1, 1)), groups=1).out


@slides("groups-interleaved", "the channels of a group lie apart: they should be neighbours")
def channels_interleaved(s: Sliding) -> Array:
    n, c, *plane = s.x.shape
    x = s.x.reshape(n, c // s.groups, s.groups, *plane).swapaxes(1, 2).reshape(s.x.shape)
    return s.but(x=x).out


@slides("groups-interleaved", "filters take their groups in turn: neighbours should share one")
def filters_interleaved(s: Sliding) -> Array:
    inputs = s.w.shape[1]
    every = [
        s.but(
            x=s.x[:, (f % s.groups) * inputs : (f % s.groups + 1) * inputs],
            w=s.w[f : f + 1],
            bias=s.bias[f : f + 1],
            groups=1,
        ).out
        for f in range(len(s.w))
    ]
    return np.concatenate(every, 1)


@slides("groups-last", "the last group alone was computed, or the first")
def first_group_alone(s: Sliding) -> Array:
    out = s.out
    out[:, len(s.w) // s.groups :] = 0
    return out


@slides("groups-last", "the last group alone was computed, or the first")
def last_group_alone(s: Sliding) -> Array:
    out = s.out
    out[:, : -(len(s.w) // s.groups)] = 0
    return out


# The bias.


def _biased(name: str, says: str, change: Any) -> None:
    @slides(name, says)
    def biased(s: Sliding) -> Array:
        return s.plain + np.asarray(change(s))[..., None, None]


_biased("bias-left-out", "the bias was left out", lambda s: s.bias * 0)
_biased("bias-sign", "the bias was subtracted", lambda s: -s.bias)
_biased("bias-twice", "the bias was added twice", lambda s: s.bias * 2)
_biased("bias-per-channel", "the bias was added for every channel", lambda s: s.bias * s.w.shape[1])
_biased(
    *("bias-per-tap", "the bias was added to every product of a window"),
    lambda s: s.bias * s.w[0].size,
)
_biased(
    *("bias-per-tap", "the bias was added to every cell of the kernel"),
    lambda s: s.bias * s.w[0, 0].size,
)
_biased(
    "bias-per-row",
    "the bias was added for every row of the kernel",
    lambda s: s.bias * s.w.shape[2],
)
_biased(
    *("bias-per-row", "the bias was added for every row of every channel of the kernel"),
    lambda s: s.bias * s.w.shape[1] * s.w.shape[2],
)
_biased("bias-first", "the first filter's bias was added to all", lambda s: s.bias * 0 + s.bias[0])
_biased("bias-last", "the last filter's bias was added to all", lambda s: s.bias * 0 + s.bias[-1])
_biased("bias-sum", "all biases were added to every filter", lambda s: s.bias * 0 + s.bias.sum())
_biased(
    "bias-mean", "the mean bias was added to every filter", lambda s: s.bias * 0 + s.bias.mean()
)
_biased("bias-reversed", "the biases were added in reverse order", lambda s: s.bias[::-1])


@slides("bias-to-input", "the bias was added to the input")
def bias_in_the_input(s: Sliding) -> Array:
    every = [
        s.but(x=s.padded + b, pads=((0, 0), (0, 0)), bias=s.bias * 0).out[:, f : f + 1]
        for f, b in enumerate(s.bias)
    ]
    return np.concatenate(every, 1)


@slides("bias-once", "the bias was added to the first cell alone")
def bias_on_first_cell(s: Sliding) -> Array:
    out = s.plain
    out[:, :, 0, 0] += s.bias
    return out
