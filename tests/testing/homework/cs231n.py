"""Right answers in the form of CS231n and EECS498: a dict of options, (out, cache) back."""

import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    high, wide = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, high, wide))
    for n in range(N):
        for f in range(F):
            for i in range(high):
                for j in range(wide):
                    top, left = i * stride, j * stride
                    window = padded[n, :, top : top + HH, left : left + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, F, high, wide = dout.shape
    HH, WW = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    db = dout.sum(axis=(0, 2, 3))
    for n in range(N):
        for f in range(F):
            for i in range(high):
                for j in range(wide):
                    part = np.s_[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    dw[f] += padded[part] * dout[n, f, i, j]
                    dpadded[part] += w[f] * dout[n, f, i, j]
    H, W = x.shape[2:]
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, db


def max_pool_forward_naive(x, pool_param):
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    high, wide = 1 + (H - ph) // s, 1 + (W - pw) // s
    out = np.zeros((N, C, high, wide))
    for i in range(high):
        for j in range(wide):
            out[:, :, i, j] = x[:, :, i * s : i * s + ph, j * s : j * s + pw].max(axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros(x.shape)
    N, C, high, wide = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(high):
                for j in range(wide):
                    window = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
                    r, k = np.unravel_index(window.argmax(), window.shape)
                    dx[n, c, i * s + r, j * s + k] += dout[n, c, i, j]
    return dx


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        return conv_forward_naive(x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        return conv_backward_naive(dout, cache)


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        return max_pool_forward_naive(x, pool_param)

    @staticmethod
    def backward(dout, cache):
        return max_pool_backward_naive(dout, cache)
