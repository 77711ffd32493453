"""Right answers in the forms of d2l, CS131, ARENA, dlsys, minitorch, OpenCV, PyTorch and Keras."""

import functools

import numpy as np


# Dive into Deep Learning.
def corr2d(X, K):
    h, w = K.shape
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


def corr2d_multi_in(X, K):
    return sum(corr2d(x, k) for x, k in zip(X, K))


def corr2d_multi_in_out(X, K):
    return np.stack([corr2d_multi_in(X, k) for k in K], 0)


def pool2d(X, pool_size, mode="max"):
    p_h, p_w = pool_size
    Y = np.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == "max":
                Y[i, j] = X[i : i + p_h, j : j + p_w].max()
            elif mode == "avg":
                Y[i, j] = X[i : i + p_h, j : j + p_w].mean()
    return Y


# CS131.
def zero_pad(image, pad_height, pad_width):
    H, W = image.shape
    out = np.zeros((H + 2 * pad_height, W + 2 * pad_width))
    out[pad_height : pad_height + H, pad_width : pad_width + W] = image
    return out


def conv_nested(image, kernel):
    Hi, Wi = image.shape
    Hk, Wk = kernel.shape
    out = np.zeros((Hi, Wi))
    for m in range(Hi):
        for n in range(Wi):
            total = 0
            for i in range(Hk):
                for j in range(Wk):
                    y, x = m + 1 - i + (Hk // 2 - 1), n + 1 - j + (Wk // 2 - 1)
                    if 0 <= y < Hi and 0 <= x < Wi:
                        total += kernel[i, j] * image[y, x]
            out[m, n] = total
    return out


def conv_fast(image, kernel):
    Hi, Wi = image.shape
    Hk, Wk = kernel.shape
    out = np.zeros((Hi, Wi))
    padded, kernel = zero_pad(image, Hk // 2, Wk // 2), np.flip(kernel)
    for m in range(Hi):
        for n in range(Wi):
            out[m, n] = np.sum(padded[m : m + Hk, n : n + Wk] * kernel)
    return out


def cross_correlation(f, g):
    return conv_fast(f, np.flip(g))


# ARENA.
def conv1d_minimal(x, weights):
    windows = np.lib.stride_tricks.sliding_window_view(x, weights.shape[2], 2)
    return np.einsum("bclk,ock->bol", windows, weights)


def conv1d(x, weights, stride=1, padding=0):
    return conv1d_minimal(np.pad(x, ((0, 0), (0, 0), (padding, padding))), weights)[..., ::stride]


def conv2d(x, weights, stride=1, padding=0):
    sy, sx = stride if isinstance(stride, tuple) else (stride, stride)
    py, px = padding if isinstance(padding, tuple) else (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], (2, 3))
    return np.einsum("bchwij,ocij->bohw", windows[:, :, ::sy, ::sx], weights)


def pad1d(x, left, right, pad_value):
    return np.pad(x, ((0, 0), (0, 0), (left, right)), constant_values=pad_value)


def pad2d(x, left, right, top, bottom, pad_value):
    sides = ((0, 0), (0, 0), (top, bottom), (left, right))
    return np.pad(x, sides, constant_values=pad_value)


def maxpool2d(x, kernel_size, stride=None, padding=0):
    kh, kw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    sh, sw = stride if isinstance(stride, tuple) else (stride or kh, stride or kw)
    x = pad2d(x.astype(float), padding, padding, padding, padding, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (2, 3))
    return windows[:, :, ::sh, ::sw].max((4, 5))


# dlsys.
def conv(a, b, stride=1, padding=1):
    a = np.pad(a, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    k = b.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(a, (k, k), (1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows[:, ::stride, ::stride], b)


# minitorch.
def tensor_conv2d(
    out, out_shape, out_strides, out_size, input, input_shape, input_strides,
    weight, weight_shape, weight_strides, reverse,
):  # fmt: skip
    batch, channels, height, width = out_shape
    _, inputs, kh, kw = weight_shape
    for b in range(batch):
        for o in range(channels):
            for i in range(height):
                for j in range(width):
                    total = 0.0
                    for c in range(inputs):
                        for y in range(kh):
                            for x in range(kw):
                                if i + y < input_shape[2] and j + x < input_shape[3]:
                                    s = np.dot(input_strides, (b, c, i + y, j + x))
                                    w = np.dot(weight_strides, (o, c, y, x))
                                    total += input[s] * weight[w]
                    out[np.dot(out_strides, (b, o, i, j))] = total


# OpenCV.
def filter2D(src, ddepth, kernel):
    py, px = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(src, ((py, py), (px, px)), mode="reflect")
    return corr2d(padded, kernel)


# PyTorch.
def torch_conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    x = np.pad(input, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    n, c = x.shape[:2]
    o, i, kh, kw = weight.shape
    spans = dilation * (kh - 1) + 1, dilation * (kw - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(x, spans, (2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    windows = windows.reshape(n, groups, i, *windows.shape[2:])
    w = weight.reshape(groups, o // groups, i, kh, kw)
    out = np.einsum("ngchwij,gocij->ngohw", windows, w).reshape(n, o, *windows.shape[3:5])
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)


# Keras.
def keras_conv2d(inputs, kernel, strides=(1, 1), padding="valid"):
    kh, kw = kernel.shape[:2]
    if padding == "same":
        ph, pw = kh - 1, kw - 1
        sides = ((0, 0), (ph // 2, ph - ph // 2), (pw // 2, pw - pw // 2), (0, 0))
        inputs = np.pad(inputs, sides)
    windows = np.lib.stride_tricks.sliding_window_view(inputs, (kh, kw), (1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows[:, :: strides[0], :: strides[1]], kernel)


def tensorflow_conv2d(x, w, strides=1, padding="VALID"):
    return keras_conv2d(x, w, (strides, strides), padding.lower())


def torch_pad(input, pad, value=0):
    left, right, top, bottom = pad
    sides = [(0, 0)] * (input.ndim - 2) + [(top, bottom), (left, right)]
    return np.pad(input, sides, constant_values=value)


# Whatever else there is.
def timed(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@timed
def decorated(image, kernel, stride=1):
    return corr2d(image, kernel)[::stride, ::stride]


@logged
def wrapped(image, kernel, pad=0):
    return corr2d(np.pad(image, pad), kernel)


def by_keywords(x, w, **kwargs):
    stride = kwargs.get("stride", 1)
    return corr2d(x, w)[::stride, ::stride]


def any_arguments(*args):
    return corr2d(*args)


def with_a_word(image, kernel, mode="valid"):
    if mode == "full":
        image = np.pad(image, [(k - 1, k - 1) for k in kernel.shape])
    elif mode == "same":
        image = np.pad(image, [((k - 1) // 2, k // 2) for k in kernel.shape])
    return corr2d(image, kernel)


def ints_alone(x, size, stride):
    high, wide = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
    out = np.zeros((high, wide))
    for i in range(high):
        for j in range(wide):
            out[i, j] = x[i * stride : i * stride + size, j * stride : j * stride + size].max()
    return out


def not_understood(image, kernel, S=1, border="zero"):
    return corr2d(image, kernel)[::S, ::S]


def by_fourier(x, w):
    size = [a + b - 1 for a, b in zip(x.shape, w.shape)]
    full = np.fft.irfft2(np.fft.rfft2(x, size) * np.fft.rfft2(w[::-1, ::-1], size), size)
    return full[w.shape[0] - 1 : x.shape[0], w.shape[1] - 1 : x.shape[1]]


def single_precision(x, w):
    return corr2d(x.astype(np.float32), w.astype(np.float32)).astype(np.float32)
