"""Networks from strangers: a TOML file that is a trap, a checkpoint that is signed but lies."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.errors import StepconvError
from stepconv.files import schema
from stepconv.nn import Model, checkpoint, from_toml, to_dict
from stepconv.nn.checkpoint import Network
from stepconv.nn.layers import Conv, Dense, Flatten, ReLU, Residual
from stepconv.nn.model import initial_parameters, initial_statistics
from stepconv.train import recipe, runs
from tests.faults.rows import mostly_slow

HEAD = 'name = "n"\ninput = [1, 4, 4]\nclasses = 2\n'
TAIL = '{ layer = "flatten" }, { layer = "dense", out_features = 2 }'


def nested(depth: int) -> str:
    inner = '{ layer = "relu" }'
    for _ in range(depth):
        inner = f'{{ layer = "residual", body = [{inner}] }}'
    return f"{HEAD}layers = [{inner}, {TAIL}]"


TRAPS = {
    "lists in lists": f"{HEAD}layers = {'[' * 3000}{']' * 3000}",
    "tables in tables": f"{HEAD}layers = [{'{a=' * 400}1{'}' * 400}]",
    "a number of 5,000 digits": f"{HEAD}layers = [{{ layer = 'dense', bias = {'9' * 5000} }}]",
    "classes of 5,000 digits": HEAD.replace("classes = 2", f"classes = {'9' * 5000}") + "layers=[]",
    "deep residuals": nested(60),
    "20,000 layers": HEAD + "layers = [" + '{ layer = "relu" },' * 20_000 + TAIL + "]",
    "padding": f"{HEAD}layers = [{{ layer='max-pool', window=3, padding=1000000000 }}, {TAIL}]",
    "padding of a kernel": HEAD
    + f"layers = [{{ layer='conv', out_channels=1, window=3, padding=1000000000 }}, {TAIL}]",
    "infinity": f"{HEAD}layers = [{{ layer = 'leaky-relu', slope = inf }}, {TAIL}]",
    "a date": f"{HEAD}layers = 1979-05-27T07:32:00Z",
    "a long word": f"{HEAD}layers = [{{ layer = '{'x' * 10_000}' }}]",
    "escapes": f'{HEAD}"\\u001b[2J" = 1\nlayers = []',
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_refused_at_once_in_a_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TRAPS[name])
    begun = time.process_time()
    assert main(["shapes", str(path)]) == 2
    assert time.process_time() - begun < 10
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert len(err) < 1000


def test_deep_residuals_take_no_exponential_time() -> None:
    begun = time.process_time()
    model = from_toml(nested(40))
    assert len(model.places) == 43
    assert time.process_time() - begun < 5


def test_the_innermost_layer_is_blamed() -> None:
    wrong = Residual((Residual((Conv(2, 9),)),))
    with pytest.raises(StepconvError, match=r"^layer residual1.body.residual1.body.conv1: kernel"):
        Model("n", (1, 4, 4), (wrong, Flatten(), Dense(2)), 2)


MODEL = Model("n", (1, 4, 4), (ReLU(), Flatten(), Dense(2)), 2)
ODD: list[Any] = [None, True, -1, 1.5, "x", [], {}, [[[]]], 2**63, "9" * 300, {"a": {"b": [1]}}]
FIELDS = {
    "model": ["name", "input", "classes", "layers"],
    "recipe": ["epochs", "batch_size", "lr", "optimizer", "schedule", "seed", "data", "freeze"],
    "fingerprint": [],
    "feed": ["scale", "shift", "form", "of_bytes"],
    "position": ["epoch", "images", "loss", "history", "seconds"],
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state as a training leaves it, but for the optimiser's numbers."""
    about = {
        "model": to_dict(MODEL),
        "recipe": recipe.Recipe().to_dict(),
        "fingerprint": "made",
        "feed": {"scale": 0.1, "shift": 0.0, "form": "digit", "of_bytes": True},
        "position": {
            "epoch": 1,
            "images": 0,
            "loss": 0.0,
            "correct": 0,
            "learning": 0.0,
            "seconds": 0.0,
            "history": [],
        },
    }
    checkpoint.save(tmp_path / runs.STATE, "state", {}, about)
    return tmp_path


def test_a_state_that_does_not_lie_is_read(state: Path) -> None:
    stored = runs.Stored.read(state)
    assert (stored.model, stored.position.epoch) == (MODEL, 1)


def resign(path: Path, about: dict[str, Any]) -> None:
    """Write a state of any content with the signature that it needs."""
    told = {key: json.dumps(value) for key, value in about.items()}
    content = b"".join(
        checkpoint._encoded({}, {"format": checkpoint.FORMAT, "kind": "state", **told})
    )
    (path / runs.STATE).write_bytes(content)


@pytest.mark.parametrize("entry", FIELDS)
def test_a_state_that_is_signed_but_lies_is_refused_or_harmless(state: Path, entry: str) -> None:
    _, about = checkpoint.load(state / runs.STATE, "state", {})
    for odd in ODD:
        for changed in ({**about, entry: odd}, *_with(about, entry, odd)):
            resign(state, changed)
            try:
                runs.Stored.read(state)
            except StepconvError as error:
                assert str(error).isprintable()  # noqa: PT017


def _with(about: dict[str, Any], entry: str, odd: Any) -> Any:
    for field in FIELDS[entry]:
        yield {**about, entry: {**about[entry], field: odd}}
    if isinstance(about[entry], dict):
        for field in list(about[entry])[:3]:
            yield {**about, entry: {k: v for k, v in about[entry].items() if k != field}}
        yield {**about, entry: {**about[entry], "more": odd}}


TEXTS = ["[" * 99_999, "9" * 5000, "NaN", '{"a":' * 200 + "1" + "}" * 200, "", "\x00", '"\\ud800"']


@pytest.mark.parametrize("text", mostly_slow(TEXTS, 2))
@pytest.mark.parametrize("entry", ["model", "position"])
def test_metadata_is_json_of_some_depth(state: Path, entry: str, text: str) -> None:
    arrays, metadata = checkpoint._decode((state / runs.STATE).read_bytes())
    del metadata["sha256"]
    content = b"".join(checkpoint._encoded(arrays, {**metadata, entry: text}))
    (state / runs.STATE).write_bytes(content)
    with pytest.raises(StepconvError):
        runs.Stored.read(state)


def test_the_offsets_of_arrays_are_whole_numbers_in_order(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    parameters = initial_parameters(MODEL, 0)
    network = Network(MODEL, dict(parameters), dict(initial_statistics(MODEL)), {"classes": ["a"]})
    checkpoint.save_network(path, network)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    for offsets in ([0.0, 4], [True, 4], [-4, 0], [0, -1], [0, 2**70], "04", [[0], 4], {}, [0]):
        changed = {**header, name: {**header[name], "data_offsets": offsets}}
        text = json.dumps(changed).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
        with pytest.raises(StepconvError, match="damaged"):
            checkpoint.load_network(path)
    for metadata in ([["a", "b"]], {"a": 1}, {"format": None}, "text", None, 3):
        text = json.dumps({**header, "__metadata__": metadata}).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
        with pytest.raises(StepconvError):
            checkpoint.load_network(path)


@pytest.mark.parametrize("odd", ODD)
def test_what_a_network_says_of_itself_has_a_type(tmp_path: Path, odd: Any) -> None:
    path = tmp_path / "n.safetensors"
    made = dict(initial_parameters(MODEL, 0)), dict(initial_statistics(MODEL))
    for key in ("classes", "scale", "form", "of_bytes", "recipe", "sure_from"):
        checkpoint.save_network(path, Network(MODEL, *made, {key: odd}))
        try:
            about = checkpoint.load_network(path).about
        except StepconvError:
            continue
        assert about == {key: odd}
        runs.predictor(checkpoint.load_network(path))


def test_the_numbers_of_a_state_are_whole(state: Path) -> None:
    from stepconv.nn.trainer import _count

    for odd in (np.array(-1), np.array([1]), np.array(1.0), np.array([], np.int64)):
        with pytest.raises(StepconvError, match="no whole number"):
            _count({"steps": odd}, "steps")
    assert _count({"steps": np.array(3)}, "steps") == 3


def test_a_schema_says_what_is_wrong_and_where() -> None:
    person = schema.table(
        {"name": schema.text(3), "age": schema.whole(0, 150)},
        {"marks": schema.listing(schema.either(schema.real(0, 1), schema.nothing), 2)},
    )
    good = {"name": "Ada", "age": 36, "marks": [0.5, None]}
    assert schema.read(json.dumps(good), person, "she") == good
    for changed, said in [
        ({"age": True}, "she.age is True: a whole number from 0 to 150 fits"),
        ({"name": "Adam"}, "she.name is 'Adam': a text of at most 3 characters fits"),
        ({"marks": [2, 0]}, r"she.marks\[0\] is 2: nothing fits"),
        ({"marks": [0, 0, 0]}, "she.marks is list: a list of 0 to 2 entries fits"),
        ({"more": 1}, "a name in she is 'more': name, age, marks fits"),
    ]:
        with pytest.raises(schema.Unlike, match=said):
            schema.read(json.dumps({**good, **changed}), person, "she")
    with pytest.raises(schema.Unlike, match="lacks 'age'"):
        person({"name": "Ada"}, "she")
    with pytest.raises(schema.Unlike, match="from 0 to 1"):
        schema.real(0, 1)(float("nan"), "it")
    with pytest.raises(schema.Unlike, match="a number"):
        schema.real()(10**400, "it")
