"""Each worked chain shows the law that its title names, with numbers."""

import numpy as np
import pytest

import stepconv
from stepconv import Chain, From
from stepconv.errors import ArgumentError
from stepconv.trace import worked_chain, worked_chains

every_chain = pytest.mark.parametrize("name", worked_chains())


@pytest.fixture(scope="module")
def chains() -> dict[str, Chain]:
    return {name: each.chain() for name, each in worked_chains().items()}


@every_chain
def test_every_link_has_a_sentence_and_the_chain_a_file(
    name: str, chains: dict[str, Chain], tmp_path: object
) -> None:
    chain = chains[name]
    path = f"{tmp_path}/a.npz"
    chain.save(path)
    assert stepconv.load_chain(path) == chain
    assert all(link.about.title == worked_chains()[name].title for link in chain)
    assert all(link.about.notes[0][-1] in ".…:" for link in chain)


@pytest.mark.parametrize(
    ("name", "equal", "different"),
    [
        ("two-convolutions", [4], [7]),
        ("low-and-high-pass", [3], [1]),
        ("linearity", [5, 9], [2]),
        ("commutativity", [2], [5]),
        ("associativity", [4], [3]),
    ],
)
def test_what_is_equal_differs_by_nothing(
    name: str, equal: list[int], different: list[int], chains: dict[str, Chain]
) -> None:
    assert not any(chains[name][link].output.any() for link in equal)
    assert all(chains[name][link].output.any() for link in different)


def test_two_edges_cancel_until_a_relu_keeps_one(chains: dict[str, Chain]) -> None:
    chain = chains["edges-and-relu"]
    assert chain[1].output.tolist() == [[0]]
    assert chain[3].output.tolist() == [[9]]


def test_the_combined_kernel_is_a_link(chains: dict[str, Chain]) -> None:
    chain = chains["two-convolutions"]
    assert np.array_equal(chain[3].arrays["w"], chain[2].output)
    assert chain.heading(2).startswith("link 2 of 8, convolution: from numbers of its own")


def test_the_filter_is_learnt_and_the_loss_that_is_told_falls(chains: dict[str, Chain]) -> None:
    chain = chains["learn-a-filter"]
    assert np.allclose(chain.output, [[1, 0, -1]] * 3, atol=0.06)
    told = [float(link.about.notes[0].rstrip(".").split()[-1]) for link in chain[1::5]]
    shown = [(link.output**2).sum() / 2 for link in chain[1::5]]
    assert told == pytest.approx(shown, rel=0.01)
    assert told == sorted(told, reverse=True)
    assert np.array_equal(chain[9].output, chain[4].output - chain[7].output / 64)


def test_the_layers_have_the_sizes_that_keras_gives_them(chains: dict[str, Chain]) -> None:
    first, relu, second = chains["keras-two-layers"]
    assert first.output.shape == relu.output.shape == (2, 5, 5)
    assert (first.plan.axes[0].before, first.plan.axes[0].after) == (1, 2)
    assert second.output.shape == (2, 3, 3)
    assert chains["four-filters-rgb"].output.shape == (4, 4, 4)


def test_a_name_nearly_right_is_told() -> None:
    with pytest.raises(ArgumentError, match="did you mean 'linearity'"):
        worked_chain("linearty")


@pytest.mark.parametrize("function", [stepconv.correlate, stepconv.convolve])
def test_weights_from_a_link_are_linked_cell_by_cell(function: object) -> None:
    """The steps that a change of one weight changes are those that the links name."""
    rng = np.random.default_rng(4)
    x, w = rng.uniform(0.5, 1, (2, 5, 4)), rng.uniform(0.5, 1, (2, 2, 2, 3))

    def made(w: np.ndarray) -> Chain:
        chain = stepconv.record([(stepconv.relu, {})], w, backend="textbook")
        return chain.then(function, x=x, w=From(0), padding=1, backend="textbook")  # type: ignore[arg-type]

    chain = made(w)
    for cell in range(w.size):
        changed = w.copy()
        changed.reshape(-1)[cell] += 1
        differ = np.flatnonzero((made(changed).output != chain.output).reshape(-1))
        (goes,) = chain.goes_to(0, cell)
        assert goes.numbers.tolist() == differ.tolist()
        for step in differ[:2]:
            ((link, cells),) = chain.made_from(1, int(step))
            assert link == 0
            assert cell in cells
