"""Right answers in the form of Holberton: images, kernels, padding in words or pairs."""

import numpy as np


def _valid(padded, kernel, sh, sw):
    m, h, w = padded.shape[:3]
    kh, kw = kernel.shape[:2]
    oh, ow = (h - kh) // sh + 1, (w - kw) // sw + 1
    out = np.zeros((m, oh, ow))
    for i in range(oh):
        for j in range(ow):
            part = padded[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
            out[:, i, j] = (part * kernel).reshape(m, -1).sum(1)
    return out


def convolve_grayscale_valid(images, kernel):
    return _valid(images, kernel, 1, 1)


def convolve_grayscale_same(images, kernel):
    ph, pw = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(images, ((0, 0), (ph, ph), (pw, pw)))
    return _valid(padded, kernel, 1, 1)[:, : images.shape[1], : images.shape[2]]


def convolve_grayscale_padding(images, kernel, padding):
    ph, pw = padding
    return _valid(np.pad(images, ((0, 0), (ph, ph), (pw, pw))), kernel, 1, 1)


def _sides(images, kernel, padding, stride):
    (kh, kw), (sh, sw), (h, w) = kernel.shape[:2], stride, images.shape[1:3]
    if padding == "same":
        return ((h - 1) * sh + kh - h + 1) // 2, ((w - 1) * sw + kw - w + 1) // 2
    return (0, 0) if padding == "valid" else padding


def convolve_grayscale(images, kernel, padding="same", stride=(1, 1)):
    ph, pw = _sides(images, kernel, padding, stride)
    return _valid(np.pad(images, ((0, 0), (ph, ph), (pw, pw))), kernel, *stride)


def convolve_channels(images, kernel, padding="same", stride=(1, 1)):
    ph, pw = _sides(images, kernel, padding, stride)
    return _valid(np.pad(images, ((0, 0), (ph, ph), (pw, pw), (0, 0))), kernel, *stride)


def convolve(images, kernels, padding="same", stride=(1, 1)):
    ph, pw = _sides(images, kernels, padding, stride)
    padded = np.pad(images, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    every = [_valid(padded, kernels[..., k], *stride) for k in range(kernels.shape[3])]
    return np.stack(every, axis=3)


def pool(images, kernel_shape, stride, mode="max"):
    m, h, w, c = images.shape
    (kh, kw), (sh, sw) = kernel_shape, stride
    oh, ow = (h - kh) // sh + 1, (w - kw) // sw + 1
    out = np.zeros((m, oh, ow, c))
    for i in range(oh):
        for j in range(ow):
            part = images[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
            out[:, i, j] = part.max((1, 2)) if mode == "max" else part.mean((1, 2))
    return out


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    return activation(convolve(A_prev, W, padding, stride) + b)


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode="max"):
    return pool(A_prev, kernel_shape, stride, mode)


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    m, oh, ow, c_new = dZ.shape
    kh, kw = W.shape[:2]
    sh, sw = stride
    ph, pw = _sides(A_prev, W, padding, stride)
    padded = np.pad(A_prev, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    dA, dW = np.zeros(padded.shape), np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)
    for n in range(m):
        for i in range(oh):
            for j in range(ow):
                for c in range(c_new):
                    part = np.s_[n, i * sh : i * sh + kh, j * sw : j * sw + kw]
                    dA[part] += W[..., c] * dZ[n, i, j, c]
                    dW[..., c] += padded[part] * dZ[n, i, j, c]
    h, w = A_prev.shape[1:3]
    return dA[:, ph : ph + h, pw : pw + w], dW, db


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode="max"):
    m, oh, ow, c = dA.shape
    (kh, kw), (sh, sw) = kernel_shape, stride
    out = np.zeros(A_prev.shape)
    for n in range(m):
        for i in range(oh):
            for j in range(ow):
                for k in range(c):
                    part = np.s_[n, i * sh : i * sh + kh, j * sw : j * sw + kw, k]
                    if mode == "max":
                        out[part] += (A_prev[part] == A_prev[part].max()) * dA[n, i, j, k]
                    else:
                        out[part] += dA[n, i, j, k] / (kh * kw)
    return out
