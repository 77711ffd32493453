"""A network as a chain: the same numbers, cells linked from the answers down to the pixels."""

from pathlib import Path

import numpy as np
import pytest

from stepconv import load_chain
from stepconv.errors import ArgumentError
from tests.inside.looks import looked
from tests.nn.networks import STACKS

# They treat the cells of a flattened picture as channels, or put such rows behind each other.
ROWS_OF_PICTURES = ("batch norm", "branches in branches")
QUICK = ("conv all at once", "residual", "concat", "max pool overlapping")


@pytest.mark.parametrize(
    "name",
    [
        *(name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in STACKS),
        pytest.param("mini-googlenet", marks=pytest.mark.slow),
        pytest.param("mini-resnet", marks=pytest.mark.slow),
    ],
)
def test_links_say_what_layers_say(name: str, tmp_path: Path) -> None:
    inside = looked(name)
    if name in ROWS_OF_PICTURES:
        with pytest.raises(ArgumentError, match="is no link of a chain"):
            _ = inside.chain
        return
    assert list(inside.links) == ["input", *inside.layers, "softmax"]
    for layer in [*inside.layers, "softmax"]:
        found = inside.chain.output_of(inside.links[layer]).reshape(-1)
        np.testing.assert_allclose(found, inside[layer].output.reshape(-1), rtol=1e-3, atol=1e-4)
    inside.chain.save(tmp_path / "net.npz")
    assert load_chain(tmp_path / "net.npz") == inside.chain


@pytest.mark.parametrize("name", ["residual", "max pool overlapping"])
def test_the_chains_field_is_the_field(name: str) -> None:
    inside = looked(name)
    layer = [name for name in inside.layers if len(inside[name].shape) == 3][-1]
    index = (0, 1, 0)
    link = inside.links[layer]
    assert link is not None
    step = int(np.ravel_multi_index(index, inside[layer].shape))
    reached = inside.chain.field(link, step)[None]
    assert reached.tolist() == np.flatnonzero(inside.field(layer, index).cells).tolist()
