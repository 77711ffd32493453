"""A network written into a TOML file comes back the same; a wrong file is refused by name."""

from pathlib import Path

import pytest

from stepconv import nn
from stepconv.errors import ArgumentError

FILE = """
name = "mine"
input = [1, 28, 28]
classes = 10
layers = [
    { layer = "conv", out_channels = 8, window = [3, 5], padding = "same", stride = 2 },
    { layer = "relu" },
    { layer = "concat", branches = [
        [],
        [{ layer = "conv", out_channels = 4, window = 1, bias = false }],
    ] },
    { layer = "global-avg-pool" },
    { layer = "dense", out_features = 10 },
]
"""


@pytest.mark.parametrize("name", nn.ZOO)
def test_every_network_of_the_zoo_comes_back(name: str) -> None:
    model = nn.build(name)
    assert model.about
    assert nn.from_toml(nn.to_toml(model)) == model
    assert nn.from_dict(nn.to_dict(model)) == model


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    model = nn.load(path)
    assert model.places[0].output == (8, 14, 14)
    assert model.layers[0] == nn.Conv(8, (3, 5), padding="same", stride=2)
    assert nn.from_toml(nn.to_toml(model)) == model


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "mine"', "name = mine", "is not TOML: Invalid value (at line 2"),
        ('name = "mine"', "", "the network: name is missing"),
        ("classes", "clases", "the network: clases=10 is not known: did you mean 'classes'?"),
        ("stride", "strid", "layer 1 of layers (conv): strid=2 is not known: did you mean 'stri"),
        ('"relu"', '"rellu"', "layer 2 of layers: layer='rellu' is not known: did you mean 'rel"),
        ("out_channels = 8, ", "", "layer 1 of layers (conv): out_channels is missing"),
        ("out_channels = 8", "out_channels = -8", "(conv): out_channels=-8 is too small"),
        ("out_channels = 8", "out_channels = 1.5", "(conv): out_channels=1.5 is not an integer"),
        ('{ layer = "relu" }', '"relu"', "layer 2 of layers: 'relu' is no layer"),
        ("bias = false", "bias = 3", "layer 1 of branch 2 (conv): bias=3 is not a bool"),
        ('padding = "same"', 'padding = "sam"', "layer conv1: padding='sam' is not known"),
        ("[3, 5]", "[3, 5, 7]", "window=(3, 5, 7) has 3 numbers"),
        ("out_features = 10", "out_features = 9", "the last layer gives 9, but there are 10"),
        ("[1, 28, 28]", "28", "input=28 is not the shape of an image"),
    ],
)
def test_an_error_names_file_layer_key_and_value(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    assert old in FILE
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(ArgumentError) as caught:
        nn.load(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"nowhere\.toml cannot be read: No such file"):
        nn.load(tmp_path / "nowhere.toml")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ArgumentError, match="not text in UTF-8"):
        nn.load(tmp_path / "picture.toml")


def test_a_name_that_is_not_in_the_zoo() -> None:
    with pytest.raises(ArgumentError, match="model='vgg' is not known: one of mlp, lenet5"):
        nn.build("vgg")
