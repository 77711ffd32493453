"""Every slip twice: in loops as a student writes them, and in arrays as somebody else does.

Each base is right; a slip is a few of its characters written otherwise.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stepconv.testing.tasks import PRACTICE

LOOPS = """
import numpy as np

def conv(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, I, KH, KW = w.shape
    p, s, d = padding, stride, dilation
    xp = np.zeros((N, C, H + 2 * p, W + 2 * p))
    xp[:, :, p : p + H, p : p + W] = x
    OH = (H + 2 * p - d * (KH - 1) - 1) // s + 1
    OW = (W + 2 * p - d * (KW - 1) - 1) // s + 1
    out = np.zeros((N, F, OH, OW))
    for n in range(N):
        for f in range(F):
            g = f // (F // groups)
            for i in range(OH):
                for j in range(OW):
                    total = 0.0
                    for c in range(I):
                        for u in range(KH):
                            for v in range(KW):
                                a = xp[n, g * I + c, i * s + u * d, j * s + v * d]
                                total += a * w[f, c, u, v]
                    out[n, f, i, j] = total + b[f]
    return out
"""

ARRAYS = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as view

def conv(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    o, i, kh, kw = w.shape
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, sides)
    reach = (dilation * (kh - 1) + 1, dilation * (kw - 1) + 1)
    windows = view(padded, reach, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = []
    for group in range(groups):
        part = windows[:, group * i : (group + 1) * i]
        filters = w[group * (o // groups) : (group + 1) * (o // groups)]
        parts.append(np.einsum("nchwij,ocij->nohw", part, filters))
    result = np.concatenate(parts, axis=1) + b.reshape(1, -1, 1, 1)
    return result
"""

POOL_LOOPS = """
import numpy as np

def pool(x, size, stride, padding=0):
    (kh, kw) = size if isinstance(size, tuple) else (size, size)
    N, C, H, W = x.shape
    p = padding
    OH, OW = (H + 2 * p - kh) // stride + 1, (W + 2 * p - kw) // stride + 1
    out = np.zeros((N, C, OH, OW))
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    best = -np.inf
                    cells, total = 0, 0.0
                    for u in range(kh):
                        for v in range(kw):
                            r, k = i * stride + u - p, j * stride + v - p
                            if 0 <= r < H and 0 <= k < W:
                                best = max(best, x[n, c, r, k])
                                total += x[n, c, r, k]
                                cells += 1
                    out[n, c, i, j] = RESULT
    return out
"""

POOL_ARRAYS = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as view

def pool(x, size, stride, padding=0):
    size = size if isinstance(size, tuple) else (size, size)
    sides = [(0, 0)] * (x.ndim - 2) + [(padding, padding)] * 2
    padded = np.pad(x.astype(float), sides, constant_values=FILL)
    windows = view(padded, size, axis=(-2, -1))[..., ::stride, ::stride, :, :]
    return RESULT
"""

BACK_LOOPS = """
import numpy as np

def back(x, w, dout, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    s, p = stride, padding
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dxp, dw, db = np.zeros(xp.shape), np.zeros(w.shape), np.zeros(F)
    for n in range(N):
        for f in range(F):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    g = dout[n, f, i, j]
                    db[f] += g
                    rows, columns = slice(i * s, i * s + KH), slice(j * s, j * s + KW)
                    dw[f] += g * xp[n, :, rows, columns]
                    dxp[n, :, rows, columns] += g * w[f]
    dx = dxp[:, :, p : p + H, p : p + W]
    return dx, dw, db
"""

BACK_ARRAYS = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as view

def back(x, w, dout, stride=1, padding=0):
    kh, kw = w.shape[2:]
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, pad)
    windows = view(padded, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    dw = np.einsum("nchwij,nohw->ocij", windows, dout)
    db = dout.sum(axis=(0, 2, 3))
    n, o, oh, ow = dout.shape
    spread = np.zeros((n, o, padded.shape[2] - kh + 1, padded.shape[3] - kw + 1))
    spread[:, :, : (oh - 1) * stride + 1 : stride, : (ow - 1) * stride + 1 : stride] = dout
    full = np.pad(spread, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    kernel = w[:, :, ::-1, ::-1]
    dx = np.einsum("nohwij,ocij->nchw", view(full, (kh, kw), axis=(2, 3)), kernel)
    h, k = x.shape[2:]
    dx = dx[:, :, padding : padding + h, padding : padding + k]
    return dx, dw, db
"""

MAXBACK_LOOPS = """
import numpy as np

def back(x, dout, size, stride):
    kh, kw = size if isinstance(size, tuple) else (size, size)
    dx = np.zeros(x.shape)
    N, C, OH, OW = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    window = x[n, c, i * stride : i * stride + kh, j * stride : j * stride + kw]
                    mask = np.zeros((kh, kw))
                    mask[np.unravel_index(window.argmax(), window.shape)] = 1
                    part = dx[n, c, i * stride : i * stride + kh, j * stride : j * stride + kw]
                    part += mask * dout[n, c, i, j]
    return dx
"""

MAXBACK_ARRAYS = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as view

def back(x, dout, size, stride):
    size = size if isinstance(size, tuple) else (size, size)
    windows = view(x, size, axis=(2, 3))[:, :, ::stride, ::stride]
    flat = windows.reshape(*windows.shape[:4], -1)
    hot = np.eye(flat.shape[-1])[flat.argmax(-1)]
    grads = (hot * dout[..., None]).reshape(windows.shape)
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            dx[:, :, top : top + size[0], left : left + size[1]] += grads[:, :, i, j]
    return dx
"""

PAD_LOOPS = """
import numpy as np

def pad(x, padding, value=0):
    rows, columns = padding
    (top, bottom), (left, right) = rows, columns
    H, W = x.shape[-2:]
    out = np.full((*x.shape[:-2], top + H + bottom, left + W + right), value, x.dtype)
    for i in range(H):
        for j in range(W):
            out[..., top + i, left + j] = x[..., i, j]
    return out
"""

PAD_ARRAYS = """
import numpy as np

def pad(x, padding=((0, 0), (0, 0)), value=0):
    none = [(0, 0)] * (x.ndim - 2)
    return np.pad(x, [*none, *padding], constant_values=value)
"""

SIGMOID_LOOPS = """
import math
import numpy as np

def sigmoid(x):
    return np.array([1 / (1 + math.exp(-v)) for v in x.flat]).reshape(x.shape)
"""

SIGMOID_ARRAYS = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))
"""

SOFTMAX_LOOPS = """
import numpy as np

def softmax(x):
    powers, out = np.exp(x.astype(float)), np.zeros(x.shape)
    for n, c, *i in np.ndindex(x.shape):
        total = sum(powers[n, c, *i] for c in range(x.shape[1]))
        out[n, c, *i] = powers[n, c, *i] / total
    return out
"""

SOFTMAX_ARRAYS = """
import numpy as np

def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum(1, keepdims=True)
"""

TRAINED_LOOPS = """
import math
import numpy as np

def dense(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for n in range(x.shape[0]):
        for o in range(w.shape[1]):
            total = 0.0
            for i in range(x.shape[1]):
                total += x[n, i] * w[i, o]
            out[n, o] = total + b[o]
    return out

def dense_backward(x, w, dout):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n in range(len(x)):
        dx[n] = w.dot(dout[n])
        dw += np.outer(x[n], dout[n])
        db += dout[n]
    return dx, dw, db

def cross_entropy(x, y):
    losses = []
    for row, label in zip(x.astype(float), y):
        most = max(row)
        total = sum(math.exp(v - most) for v in row)
        losses.append(-math.log(math.exp(row[label] - most) / total))
    return sum(losses) / len(losses)

def cross_entropy_backward(x, y):
    out = np.zeros(x.shape)
    for n, label in enumerate(y):
        powers = np.exp(x[n] - x[n].max())
        out[n] = powers / powers.sum()
        out[n, label] -= 1
    return out / len(x)

def batch_norm(x, gamma, beta, eps=1e-5):
    out = np.zeros(x.shape)
    for d in range(x.shape[1]):
        column = x[:, d].astype(float)
        mean = sum(column) / len(column)
        variance = sum((column - mean) ** 2) / len(column)
        out[:, d] = gamma[d] * (column - mean) / math.sqrt(variance + eps) + beta[d]
    return out

def batch_norm_backward(x, gamma, dout, eps=1e-5):
    s = np.sqrt(x.var(0) + eps)
    y = (x - x.mean(0)) / s
    dgamma, dbeta = (dout * y).sum(0), dout.sum(0)
    dx = gamma / s * (dout - dbeta / len(x) - y * dgamma / len(x))
    return dx, dgamma, dbeta

def dropout(x, rate):
    out = np.zeros(x.shape)
    for i, v in np.ndenumerate(x):
        if np.random.rand() >= rate:
            out[i] = v / (1 - rate)
    return out

def sgd(w, grad, lr):
    out = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        out[i] = w[i] - lr * grad[i]
    return out

def adam(w, grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    out = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        first = beta1 * m[i] + (1 - beta1) * grad[i]
        second = beta2 * v[i] + (1 - beta2) * grad[i] ** 2
        first, second = first / (1 - beta1**t), second / (1 - beta2**t)
        out[i] = w[i] - lr * first / (math.sqrt(second) + eps)
    return out
"""

TRAINED_ARRAYS = """
import numpy as np

def dense(x, w, b):
    return np.einsum("ni,io->no", x, w) + b

def dense_backward(x, w, dout):
    return np.einsum("no,io->ni", dout, w), np.einsum("ni,no->io", x, dout), dout.sum(0)

def shares(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)

def cross_entropy(logits, labels):
    p = shares(logits)
    return -np.log(np.take_along_axis(p, labels[:, None], 1)).mean()

def cross_entropy_backward(logits, labels):
    grad = shares(logits)
    grad[range(len(grad)), labels] -= 1
    return grad / grad.shape[0]

def batch_norm(x, gamma, beta, epsilon=1e-5):
    y = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon)
    return y * gamma + beta

def batch_norm_backward(x, gamma, dout, epsilon=1e-5):
    n, std = x.shape[0], np.sqrt(x.var(axis=0) + epsilon)
    hat = (x - x.mean(axis=0)) / std
    dhat = dout * gamma
    dx = (n * dhat - dhat.sum(0) - hat * (dhat * hat).sum(0)) / (n * std)
    return dx, (dout * hat).sum(0), dout.sum(0)

def dropout(x, p):
    mask = np.random.binomial(1, 1 - p, x.shape)
    return x * mask / (1 - p)

def sgd(w, grad, lr):
    w -= (lr * grad).astype(w.dtype)
    return w

def adam(params, grads, m, v, step, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m = m + (1 - beta1) * (grads - m)
    v = v + (1 - beta2) * (grads * grads - v)
    rate = learning_rate / (1 - beta1**step)
    return params - rate * m / (np.sqrt(v / (1 - beta2**step)) + epsilon), m, v
"""


def _alone(source: str, name: str) -> str:
    """Return one function of a source, first, and what it needs."""
    head, *functions = re.split(r"^(?=def )", source, flags=re.MULTILINE)
    own = next(each for each in functions if each.startswith(f"def {name}("))
    helps = [each for each in functions if each.startswith("def shares") and "shares(" in own]
    return head + "".join([own, *helps])


@dataclass(frozen=True)
class Planted:
    """A slip, and how each of the two bases is changed to make it: pairs of old and new text."""

    slip: str
    op: str
    loops: tuple[str, ...]
    arrays: tuple[str, ...]

    def sources(self) -> tuple[str, str]:
        """Return both functions."""
        first, second = BASES[self.op]
        return _edited(first, self.loops), _edited(second, self.arrays)


def _edited(source: str, pairs: tuple[str, ...]) -> str:
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in source, f"{old!r} is not there"
        source = source.replace(old, new)
    return source


BASES = {
    "correlate": (LOOPS, ARRAYS),
    "convolve": (
        LOOPS.replace("w[f, c, u, v]", "w[f, c, KH - 1 - u, KW - 1 - v]"),
        ARRAYS.replace("o, i, kh, kw = w.shape", "w = np.flip(w, (2, 3)); o, i, kh, kw = w.shape"),
    ),
    "max-pool": (
        POOL_LOOPS.replace("RESULT", "best"),
        POOL_ARRAYS.replace("FILL", "-np.inf").replace("RESULT", "windows.max((-2, -1))"),
    ),
    "avg-pool": (
        POOL_LOOPS.replace("RESULT", "total / cells"),
        POOL_ARRAYS.replace("FILL", "np.nan").replace("RESULT", "np.nanmean(windows, (-2, -1))"),
    ),
    "correlate-backward": (BACK_LOOPS, BACK_ARRAYS),
    "max-pool-backward": (MAXBACK_LOOPS, MAXBACK_ARRAYS),
    "avg-pool-backward": (
        MAXBACK_LOOPS.replace(
            "mask = np.zeros((kh, kw))", "mask = np.full((kh, kw), 1 / kh / kw)"
        ).replace("mask[np.unravel_index(window.argmax(), window.shape)] = 1", "pass"),
        MAXBACK_ARRAYS.replace(
            "hot = np.eye(flat.shape[-1])[flat.argmax(-1)]",
            "hot = np.ones(flat.shape) / flat.shape[-1]",
        ),
    ),
    "pad": (PAD_LOOPS, PAD_ARRAYS),
    "sigmoid": (SIGMOID_LOOPS, SIGMOID_ARRAYS),
    "softmax": (SOFTMAX_LOOPS, SOFTMAX_ARRAYS),
    "relu": (
        "import numpy as np\ndef relu(x):\n    return np.array([v if v > 0 else 0 for v in x.flat])"
        ".reshape(x.shape)\n",
        "import numpy as np\ndef relu(x):\n    return np.maximum(x, 0)\n",
    ),
    "relu-backward": (
        "import numpy as np\ndef back(x, dout):\n    out = np.zeros(x.shape)\n"
        "    for i, v in np.ndenumerate(x):\n        if v > 0:\n            out[i] = dout[i]\n"
        "    return out\n",
        "import numpy as np\ndef back(x, dout):\n    return np.where(x > 0, dout, 0)\n",
    ),
} | {
    op: tuple(_alone(text, op.replace("-", "_")) for text in (TRAINED_LOOPS, TRAINED_ARRAYS))
    for op in PRACTICE
}


def _planted() -> Iterator[Planted]:
    """Read the slips: a line with name and operation, then the edits of either base."""
    text = Path(__file__).with_suffix(".txt").read_text("utf-8")
    for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        head, *lines = part.strip().splitlines()
        slip, op = head.split("] ")
        edits: dict[str, list[str]] = {"loops": [], "arrays": []}
        for line in lines:
            base, _, edit = line.partition(": ")
            edits[base] += [_plain(side) for side in edit.split(" => ")]
        yield Planted(slip, op, tuple(edits["loops"]), tuple(edits["arrays"]))


def _plain(text: str) -> str:
    """Return a side of an edit; one with spaces or new lines at its ends is quoted."""
    return str(ast.literal_eval(text)) if text[:1] in "'\"" and text[-1:] == text[:1] else text


PLANTED = tuple(_planted())
