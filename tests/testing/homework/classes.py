"""Right answers as layers: TinyTorch, 11-785, deep-learning-from-scratch, Keras."""

import numpy as np


def im2col(x, kh, kw, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (2, 3))
    return windows[:, :, ::stride, ::stride]


class Conv2d:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        kh, kw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.weight = np.random.randn(out_channels, in_channels, kh, kw)
        self.bias = np.zeros(out_channels) if bias else None
        self.stride, self.padding = stride, padding

    def forward(self, x):
        self.x = x
        self.windows = im2col(x, *self.weight.shape[2:], self.stride, self.padding)
        out = np.einsum("nchwij,ocij->nohw", self.windows, self.weight)
        return out if self.bias is None else out + self.bias[:, None, None]

    __call__ = forward

    def backward(self, grad_output):
        self.weight_grad = np.einsum("nchwij,nohw->ocij", self.windows, grad_output)
        self.bias_grad = grad_output.sum((0, 2, 3))
        s, p, (kh, kw) = self.stride, self.padding, self.weight.shape[2:]
        padded = np.pad(np.zeros(self.x.shape), ((0, 0), (0, 0), (p, p), (p, p)))
        for i in range(grad_output.shape[2]):
            for j in range(grad_output.shape[3]):
                part = np.einsum("no,ocij->ncij", grad_output[:, :, i, j], self.weight)
                padded[:, :, i * s : i * s + kh, j * s : j * s + kw] += part
        h, w = self.x.shape[2:]
        return padded[:, :, p : p + h, p : p + w]


class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        windows = im2col(x, *self.W.shape[2:], self.stride, self.pad)
        n, _, h, w = windows.shape[:4]
        columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, -1)
        out = columns @ self.W.reshape(len(self.W), -1).T + self.b
        return out.reshape(n, h, w, -1).transpose(0, 3, 1, 2)


class Pooling:
    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        sides = ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad))
        x = np.pad(x.astype(float), sides, constant_values=-np.inf)
        return im2col(x, self.pool_h, self.pool_w, self.stride, 0).max((4, 5))


class MaxPool2d:
    def __init__(self, kernel, stride):
        self.kernel, self.stride = kernel, stride

    def forward(self, A):
        return im2col(A, self.kernel, self.kernel, self.stride, 0).max((4, 5))

    def backward(self, dLdZ):
        raise NotImplementedError


class MaxPool2d_stride1:
    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, A):
        return im2col(A, self.kernel, self.kernel, 1, 0).max((4, 5))


class Tensor:
    def __init__(self, data):
        self.data = np.asarray(data, float)


class TinyConv:
    """TinyTorch: weights and results are tensors of its own."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        kh, kw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.weight = Tensor(np.zeros((out_channels, in_channels, kh, kw)))
        self.bias = Tensor(np.zeros(out_channels))
        self.stride, self.padding = stride, padding

    def __call__(self, x):
        data = x.data if isinstance(x, Tensor) else x
        windows = im2col(data, *self.weight.data.shape[2:], self.stride, self.padding)
        out = np.einsum("nchwij,ocij->nohw", windows, self.weight.data)
        return Tensor(out + self.bias.data[:, None, None])


class Conv1d:
    """11-785: a layer of stride 1, and what leaves cells out."""

    class Stride1:
        def __init__(self, outputs, inputs, size):
            self.W, self.b = np.random.rand(outputs, inputs, size), np.zeros(outputs)

        def forward(self, A):
            self.windows = np.lib.stride_tricks.sliding_window_view(A, self.W.shape[2], 2)
            return np.einsum("nclk,ock->nol", self.windows, self.W) + self.b[:, None]

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding=0):
        self.conv1d_stride1 = Conv1d.Stride1(out_channels, in_channels, kernel_size)
        self.stride, self.pad = stride, padding

    def forward(self, A):
        A = np.pad(A, ((0, 0), (0, 0), (self.pad, self.pad)))
        return self.conv1d_stride1.forward(A)[:, :, :: self.stride]


class Conv2D:
    """Keras: it builds itself when it is first called."""

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", activation=None):
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.kernel = self.bias = None

    def __call__(self, inputs):
        size = self.kernel_size
        kh, kw = size if isinstance(size, tuple) else (size, size)
        if self.kernel is None:
            self.kernel = np.random.rand(kh, kw, inputs.shape[-1], self.filters)
            self.bias = np.zeros(self.filters)
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (kh, kw), (1, 2))
        windows = windows[:, :: self.strides[0], :: self.strides[1]]
        return np.einsum("nhwcij,ijco->nhwo", windows, self.kernel) + self.bias


class Filter:
    def apply(self, image, kernel):
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        return (windows * kernel).sum((2, 3))
