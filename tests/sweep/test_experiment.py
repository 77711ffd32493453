"""A sweep's file: every combination, draws, single runs; what is not right is said in one line."""

from pathlib import Path

import pytest

from stepconv import nn
from stepconv.errors import ArgumentError
from stepconv.sweep import experiment


def read(folder: Path, text: str) -> list[experiment.Training]:
    path = folder / "e.toml"
    path.write_text(text)
    return experiment.read(path)


def test_a_grid_is_every_combination(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        """
        model = "mlp"
        [train]
        data = "digits"
        epochs = 3
        [vary]
        limit = [100, 200]
        augment = [false, true]
        seed = [0, 1, 2]
        """,
    )
    assert len(made) == len({each.name for each in made}) == 12
    assert made[0].name == "limit=100,augment=false,seed=0"
    last = made[-1]
    assert (last.recipe.limit, last.recipe.augment, last.recipe.seed) == (200, True, 2)
    assert {each.recipe.epochs for each in made} == {3}
    assert set(last.chosen) == {"data", "epochs", "limit", "augment", "seed"}


def test_fields_of_a_network_vary(tmp_path: Path) -> None:
    made = read(tmp_path, '[vary]\n"layers.0.out_channels" = [4, 8]\nmodel = ["lenet5"]')
    described = nn.to_dict(nn.build("lenet5"))
    for each, filters in zip(made, (4, 8), strict=True):
        model = nn.from_dict(experiment.edited(described, each.edits))
        assert model.places[0].layer.out_channels == filters
    assert described == nn.to_dict(nn.build("lenet5"))  # as it was


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(nn.to_toml(nn.build("mlp")))
    (one,) = read(tmp_path, 'model = "net.toml"')
    assert one.description == nn.to_dict(nn.build("mlp"))
    assert one.name == "run"


def test_what_a_training_begins_with_lies_beside_the_file(tmp_path: Path) -> None:
    (one,) = read(tmp_path, '[train]\nstart = "a.safetensors"')
    assert one.recipe.start == str(tmp_path / "a.safetensors")


def test_draws_are_the_same_each_time(tmp_path: Path) -> None:
    text = """
    kind = "random"
    samples = 20
    [vary]
    lr = {low = 0.001, high = 0.1, log = true}
    batch_size = {low = 16, high = 64}
    momentum = [0.0, 0.9]
    """
    made, again = read(tmp_path, text), read(tmp_path, text)
    assert made == again
    assert len(made) == 20
    rates = [each.recipe.lr or 0 for each in made]
    assert all(0.001 <= rate <= 0.1 for rate in rates)
    assert sum(rate < 0.01 for rate in rates) > 4  # as many below the middle of the powers
    assert all(16 <= each.recipe.batch_size <= 64 for each in made)
    assert {each.recipe.momentum for each in made} == {0.0, 0.9}
    assert read(tmp_path, text.replace("20", "20\n    draw = 1")) != made


def test_runs_by_themselves(tmp_path: Path) -> None:
    runs = '[[run]]\nlr = 0.1\n[[run]]\nmodel = "mlp"\nlr = 0.2'
    made = read(tmp_path, f"[train]\nepochs = 2\n{runs}")
    assert [(each.model, each.recipe.lr, each.recipe.epochs) for each in made] == [
        ("lenet5", 0.1, 2),
        ("mlp", 0.2, 2),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model = ", "is not TOML"),
        ("epochs = 2", "epochs is not known"),
        ('kind = "all"', "kind='all' is not known"),
        ("samples = 3", 'are of kind = "random"'),
        ('kind = "list"', "belong together"),
        ('kind = "random"\nsamples = 0', "samples=0"),
        ("[vary]\nlr = 0.1", "no list of values"),
        ("[vary]\nrate = [0.1]", "rate=0.1 is not known"),
        ("[vary]\nlr = [-1]", "lr=-1"),
        ('[train]\ndata = "nowhere"', "is not there"),
        ('model = "resnet"', "model='resnet' is not known"),
        ('[vary]\n"layers.0.filters" = [3]', "layers.0.filters"),
        ('[vary]\n"layers.99.out_channels" = [3]', "0 to "),
        ("[vary]\nseed = [1, 1]", "two trainings are both seed=1"),
        (f"[vary]\nseed = {list(range(200))}\nlimit = {list(range(1, 101))}", "too many"),
        ('kind = "random"\n[vary]\nlr = {low = 1, high = 0}', "no range"),
        ('kind = "random"\n[vary]\nlr = {low = 0, high = 1, log = true}', "no range"),
        ("train = 3", "is no table"),
    ],
)
def test_what_is_not_right_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=r"e\.toml") as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_is_here_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trainings = experiment.read(experiment.found(Path("pictures")))
    assert len(trainings) == 18
    assert {each.recipe.data for each in trainings} == {"digits"}
    (tmp_path / "pictures").write_text("[vary]\nseed = [1]")  # one of theirs goes before
    assert len(experiment.read(experiment.found(Path("pictures")))) == 1
    with pytest.raises(ArgumentError, match="did you mean 'pictures'"):
        experiment.found(Path("picture"))


def test_long_names_are_told_apart() -> None:
    long = {f"layers.{i}.out_channels": 3 for i in range(20)}
    one, other = experiment.named(long), experiment.named({**long, "seed": 1})
    assert one != other
    assert max(len(one), len(other)) <= 120
    assert "/" not in experiment.named({"data": "/home/me/photos"})
