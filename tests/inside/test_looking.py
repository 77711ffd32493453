"""What may be looked into, how a picture is read, what is refused in one line, how it shows."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import look_inside, nn
from stepconv.errors import ArgumentError, DataError, StepconvError
from stepconv.inside import Inside, calls
from stepconv.inside.calls import CALLS
from stepconv.inside.network import Network
from stepconv.inside.record import Looked
from stepconv.inside.shown import page, table
from stepconv.nn.layers import LAYERS
from stepconv.nn.own import OwnLayer
from stepconv.train import trained
from tests.inside.looks import looked
from tests.nn.networks import batch, network, remembered, weights
from tests.train.sets import a_run, finish, made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    finish(a_run(folder, epochs=1))
    return folder


def test_a_run_feeds_pictures_as_it_learnt_them(folder: Path) -> None:
    run, samples = trained.load(folder), made().test
    shares = run.probabilities(samples.pictures[:4])
    for given in (folder, str(folder), folder / "model.safetensors", run, run.network):
        for picture, label, share in zip(samples.pictures, samples.labels, shares, strict=False):
            inside = look_inside(given, picture, int(label))
            np.testing.assert_allclose(inside.probabilities, share, atol=1e-5)
            assert inside.classes == tuple("0123456789")
    feed = run.feed
    fed = samples.pictures[0] * np.float32(feed.scale) + np.float32(feed.shift)
    assert np.array_equal(
        look_inside(folder, fed).input, look_inside(folder, samples.pictures[0]).input
    )
    assert np.array_equal(
        inside.with_picture(samples.pictures[0]).probabilities,
        look_inside(folder, fed).probabilities,
    )


def test_a_trainer_is_looked_into_as_it_is_now() -> None:
    model = network("batch norm")
    trainer = nn.Trainer(model, scale=0.5, shift=-1.0, batch_size=8)
    images, labels = batch(model, 8)
    trainer.step(images, labels, 0.1)
    inside = look_inside(trainer, images[0])
    np.testing.assert_allclose(inside.logits, trainer.logits(images[:1])[0], atol=1e-5)
    picture = np.full(model.input_shape, 4, np.uint8)
    assert (look_inside(trainer, picture).input == 1).all()


def test_numbers_that_a_network_learnt_from_are_scaled() -> None:
    model = network("conv")
    about = {"scale": 2.0, "shift": 1.0, "of_bytes": False}
    found = nn.checkpoint.Network(model, weights(model), {}, about)
    assert (look_inside(found, np.ones(model.input_shape)).input == 3).all()
    with pytest.raises(ArgumentError, match="learnt from numbers"):
        look_inside(found, np.ones(model.input_shape, np.uint8))


def test_weights_say_which_type_is_computed_in() -> None:
    model = network("conv")
    picture = np.ones(model.input_shape, np.float64)
    for dtype in (np.float32, np.float64):
        inside = look_inside(model, picture, 0, parameters=weights(model, dtype))
        assert inside["conv1"].output.dtype == inside.grads["conv1"].dtype == dtype
    assert inside.field("conv1", (0, 0, 0)).influence.dtype == np.float64


def test_nothing_given_is_changed_and_nothing_kept_can_be() -> None:
    model = network("conv")
    picture, arrays = np.ones(model.input_shape, np.float32), weights(model)
    before = {name: array.copy() for name, array in arrays.items()}
    inside = look_inside(model, picture, 0, parameters=arrays)
    inside.step(0.1).inside.gradients["conv1.weight"]
    assert all(np.array_equal(before[name], arrays[name]) for name in arrays)
    assert (picture == 1).all()
    picture[:] = 7
    assert (inside["conv1"].input == 1).all()
    for array in (inside["conv1"].output, inside["conv1"].grad, inside["conv1"].input):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def refused() -> list[Any]:
    """Return calls that make no sense, with what has to be said of each."""
    model = network("conv")
    own, picture = weights(model), np.zeros(model.input_shape)
    normed = network("batch norm")
    look = looked("lenet5", label=None)

    def asked(*given: Any, **more: Any) -> Any:
        return lambda: look_inside(*(given or (model, picture)), **{"parameters": own, **more})

    return [
        (asked(3, picture, parameters=None), "int cannot be looked into: a run folder"),
        (asked(model, picture, parameters=None), "conv comes without weights: parameters="),
        (asked("nowhere", picture, parameters=None), "nowhere is not there: a run folder"),
        (asked("nowhere", picture), "go with a model"),
        (asked(parameters={}), "parameters lack 'conv1.weight': an array of 5x2x3x3 fits"),
        (asked(parameters={**own, "x": own["conv1.bias"]}), "'x' is none of the network's"),
        (asked(parameters={**own, "conv1.bias": np.ones(3)}), "conv1.bias is 3, 5 fits"),
        (
            asked(normed, np.zeros(normed.input_shape), parameters=weights(normed), statistics={}),
            "statistics lack",
        ),
        (asked(model, np.zeros((7, 6))), "picture is 7x6: conv reads 2x7x6"),
        (asked(model, np.full(model.input_shape, np.nan)), "not finite"),
        (asked(model, np.full(model.input_shape, "x")), "picture holds <U1"),
        (asked(label=3), "label=3 is too large: at most 2"),
        (asked(label="x"), "label='x' is not an integer"),
        (asked(backend="gpu"), "gpu"),
        (lambda: look["conv3"], "layer 'conv3' is not in lenet5: did you mean"),
        (lambda: look.at("conv2", (0, 0)), "index=(0, 0) does not fit conv2, which is 16x10x10"),
        (lambda: look.at("conv2", (0, 10, 0)), "outside of conv2"),
        (lambda: look.field("conv2", (0, -1, 0)), "index=-1 is too small"),
        (lambda: look.field("softmax", 0), "'softmax' is not in lenet5"),
        (lambda: look.loss, "label=None: a loss"),
        (lambda: look.gradients["conv1.weight"], "label=None"),
        (lambda: look.gradients["conv1.wait"], "'conv1.wait' is not learnt here: did you mean"),
        (lambda: look["relu1"].gradients["weight"], "learnt here: there is nothing to learn"),
        (lambda: look.step("x"), "lr='x' is not a number"),
        (lambda: look.step(np.inf), "lr=inf is not finite"),
        (lambda: look.occlude(29), "size=29 is too large: at most 28 fits"),
        (lambda: look.occlude(4, 0), "stride=0 is too small"),
        (lambda: look.most("conv2", 16, look.input), "channel=16 is too large"),
        (lambda: look.most("conv2", 0, 5), "holds no pictures"),
        (lambda: look.most("conv2", 0, np.zeros((2, 1, 8, 8))), "pictures of 1x8x8"),
        (lambda: look.most("conv2", 0, np.zeros((2, 28, 28)), n=0), "n=0 is too small"),
        (lambda: looked("lenet5")["relu1"].trace("w"), "of a relu 'x' is recorded"),
    ]


@pytest.mark.parametrize("number", range(32))
def test_what_makes_no_sense_is_refused_in_a_line(number: int) -> None:
    every = refused()
    assert len(every) == 32
    call, said = every[number]
    with pytest.raises(StepconvError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"no weights")
    with pytest.raises(DataError, match="damaged"):
        look_inside(tmp_path, np.zeros((28, 28)))


def test_its_layers_are_gone_through_by_name() -> None:
    inside = looked("concat")
    assert list(inside) == inside.layers
    assert len(inside) == len(inside.layers)
    assert "concat1" in inside
    assert "conv9" not in inside


def test_it_shows_itself() -> None:
    inside = looked("concat")
    told = inside.classes[inside.prediction]
    assert repr(inside).startswith("<Inside of concat: 2x6x6, ")
    assert f"told {told} (" in repr(inside)
    lines = list(table(inside))
    assert len(lines) == 1 + 1 + len(inside.layers) + 3
    assert "concat1.branch1.conv1" in "\n".join(lines)
    assert len({line.rstrip()[-1] for line in lines[2:-3]} - {"%"}) == 0
    shown = page(inside)
    assert shown == inside._repr_html_()
    pictures = re.findall(r'src="data:image/png;base64,([^"]*)"', shown)
    assert len(pictures) == 1 + len(inside.layers)
    assert base64.b64decode(pictures[0]).startswith(b"\x89PNG")
    assert "http" not in shown
    look = inside["concat1"]
    assert look._repr_html_().startswith("<p>concat1 of concat: concat, 4x6x6 to 13x6x6</p><img")
    assert look._repr_html_().count("<img") == 2
    assert inside["softmax"]._repr_html_().count("<img") == 1


def test_rich_prints_the_table() -> None:
    from rich.console import Console

    inside = looked("conv")
    inside.how = Looked(("a", "[red]", "c"))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(inside)
    told = console.export_text()
    assert "conv1   " in told
    assert "[red] " in told


def test_images_are_read_by_pillow() -> None:
    image = pytest.importorskip("PIL.Image")
    from stepconv.inside.shown import png

    for shape in ((5, 7, 1), (4, 3, 3)):
        pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        read = np.asarray(image.open(io.BytesIO(png(pixels))))
        assert np.array_equal(read.reshape(shape), pixels)


def test_the_backends_agree() -> None:
    model = network("residual")
    arrays = weights(model), remembered(model)
    picture = np.random.default_rng(4).standard_normal(model.input_shape).astype(np.float32)
    found = [
        look_inside(model, picture, 1, parameters=arrays[0], statistics=arrays[1], backend=name)
        for name in ("cpu", "textbook")
    ]
    for layer in found[0].layers:
        for one, other in zip(*((i[layer].output, i[layer].grad) for i in found), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert found[1]["conv1"].trace().about.recorder.endswith("textbook")


def test_a_name_of_the_zoo_needs_weights() -> None:
    model = network("mlp")
    picture = np.ones((28, 28), np.float32)
    inside = look_inside("mlp", picture, parameters=weights(model))
    assert inside.model == model
    with pytest.raises(ArgumentError, match=r"mlp comes without weights.*initial_parameters"):
        look_inside("mlp", picture)


def test_every_kind_of_layer_is_a_call_or_a_block() -> None:
    kinds = {made for made in LAYERS.values() if not issubclass(made, OwnLayer)}
    assert kinds - set(CALLS) == {nn.Residual, nn.Concat}


def test_look_inside_is_public() -> None:
    assert stepconv.look_inside is look_inside
    assert stepconv.Inside is Inside


def test_one_pass_forward_and_one_back_are_all_until_a_trace_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes = []
    for name in ("forward", "backward"):
        whole = getattr(Network, name)

        def counted(*given: Any, name: str = name, whole: Any = whole) -> Any:
            passes.append(name)
            return whole(*given)

        monkeypatch.setattr(Network, name, counted)
    monkeypatch.setattr(calls, "record", None)
    inside = looked("residual")
    assert passes == []
    assert inside.prediction == inside.probabilities.argmax()
    for layer in inside.layers:
        assert inside[layer].input.size * inside[layer].output.size
        assert inside.field(layer, (0,) * len(inside[layer].shape)).cells.size
    assert passes == ["forward"]
    assert inside.loss > 0
    assert all(inside[layer].grad.size for layer in inside.layers)
    assert all(gradient.size for gradient in inside.gradients.values())
    assert passes == ["forward", "backward"]
    with pytest.raises(TypeError):
        inside["conv1"].trace()
