"""The same networks in PyTorch: modules of the same names, so that weights load by name."""

from math import inf
from typing import Any

import torch
from torch import nn as tnn

from stepconv import nn
from stepconv.geometry import pads
from stepconv.nn.model import stack
from stepconv.nn.published import fixed

torch.set_num_threads(1)  # its threads would wait busily for cores that other tests use


class Twin(tnn.Module):
    """A stack of layers as a module."""

    def __init__(self, layers: Any, shape: Any) -> None:
        super().__init__()
        self.steps: list[tuple[str, Any]] = []
        for place in stack(layers, shape):
            made = module(place)
            self.add_module(place.name, made)
            self.steps.append((place.name, made))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _, made in self.steps:
            x = made(x)
        return x


class Together(tnn.Module):
    """The stacks inside a layer, and how their results become one."""

    def __init__(self, place: nn.Place) -> None:
        super().__init__()
        for name, layers in place.layer.parts().items():
            self.add_module(name, Twin(layers, place.input))
        self.concat = isinstance(place.layer, nn.Concat)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = [inner(x) for inner in self.children()]
        return torch.cat(made, 1) if self.concat else made[0] + made[1]


class Padded(tnn.Module):
    """A convolution whose padding differs from side to side."""

    def __init__(self, sides: Any, conv: tnn.Module) -> None:
        super().__init__()
        (top, bottom), (left, right) = sides
        self.sides = (left, right, top, bottom)
        self.weight, self.bias, self.conv = conv.weight, conv.bias, [conv]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv[0](tnn.functional.pad(x, self.sides))
        assert isinstance(out, torch.Tensor)
        return out


def module(place: nn.Place) -> tnn.Module:
    """Return PyTorch's module for a layer."""
    layer, shape = place.layer, place.input
    match layer:
        case nn.Conv():
            plan = layer.plan(shape)
            sides = [(axis.before, axis.after) for axis in plan.axes]
            padding = 0 if any(a != b for a, b in sides) else tuple(a for a, _ in sides)
            options = {"groups": layer.groups, "bias": layer.bias, "padding": padding}
            rows, columns = plan.axes
            made = tnn.Conv2d(
                shape[0],
                layer.out_channels,
                (rows.window, columns.window),
                stride=(rows.stride, columns.stride),
                dilation=(rows.dilation, columns.dilation),
                **options,
            )
            return made if padding else Padded(sides, made)
        case nn.Dense():
            return tnn.Linear(shape[0], layer.out_features, bias=layer.bias)
        case nn.MaxPool():
            (top, bottom), (left, right) = pads(layer.padding, 2)
            even = (top, left) == (bottom, right)
            around = (top, left) if even else (0, 0)
            pool = tnn.MaxPool2d(
                layer.window, layer.stride, around, layer.dilation, False, layer.ceil_mode
            )
            padding = tnn.ConstantPad2d((left, right, top, bottom), -inf)
            return pool if even else tnn.Sequential(padding, pool)
        case nn.AvgPool():
            (top, bottom), (left, right) = pads(layer.padding, 2)
            if (top, left) == (bottom, right):
                return tnn.AvgPool2d(
                    *(layer.window, layer.stride, (top, left)),
                    *(layer.ceil_mode, layer.count_include_pad),
                )
            # PyTorch pads all sides alike: here one window has to be all that there is.
            plan = layer.plan(shape)
            assert plan.output == (1, 1)
            counts = [axis.counts(include_pad=layer.count_include_pad)[0] for axis in plan.axes]
            pool = tnn.AvgPool2d(tuple(plan.window), divisor_override=counts[0] * counts[1])
            return tnn.Sequential(tnn.ZeroPad2d((left, right, top, bottom)), pool)
        case nn.GlobalAvgPool():
            return tnn.Sequential(tnn.AdaptiveAvgPool2d(1), tnn.Flatten())
        case nn.BatchNorm():
            kind = tnn.BatchNorm2d if len(shape) == 3 else tnn.BatchNorm1d
            return kind(shape[0], layer.epsilon, layer.momentum)
        case nn.LeakyReLU():
            return tnn.LeakyReLU(layer.slope)
        case nn.Dropout():
            return tnn.Dropout(layer.rate)
        case nn.Residual() | nn.Concat():
            return Together(place)
        case fixed.LocalNorm():
            return tnn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.bias)
        case fixed.ChannelShuffle():
            return tnn.ChannelShuffle(layer.groups)
    return {
        "relu": tnn.ReLU,
        "relu6": tnn.ReLU6,
        "tanh": tnn.Tanh,
        "sigmoid": tnn.Sigmoid,
        "flatten": tnn.Flatten,
    }[layer.kind]()


def twin(model: nn.Model, parameters: Any, statistics: Any, dtype: Any) -> Twin:
    """Return a model in PyTorch with these weights."""
    made = Twin(model.layers, model.input_shape).to(dtype)
    weights = {**parameters, **statistics}
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    missing, unexpected = made.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return made
