"""A chain is its calls made one by one, and its links say which cells each cell was made from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import Chain, From
from stepconv.errors import ArgumentError, ArgumentTypeError, StepconvError

Array = Any
Calls = list[tuple[Callable[..., Any], dict[str, Any]]]
RNG = np.random.default_rng(5)


def weights(*shape: int) -> Array:
    """Weights of which no sum is 0 by chance."""
    return RNG.uniform(0.5, 1.5, shape)


# Calls that are linear, so that a change of one cell shows which others it reaches.
LINEAR: dict[str, tuple[tuple[int, ...], Calls]] = {
    "signal": (
        (12,),
        [
            (stepconv.correlate, {"w": weights(3), "padding": "same", "stride": 2}),
            (stepconv.convolve, {"w": weights(2), "dilation": 2}),
        ],
    ),
    "picture": (
        (9, 8),
        [
            (stepconv.correlate, {"w": weights(3, 2), "padding": (1, 0)}),
            (stepconv.avg_pool, {"window": (3, 2), "stride": (2, 3), "padding": 1}),
            (stepconv.pad, {"padding": ((1, 2), (0, 1)), "mode": "reflect"}),
            (stepconv.correlate, {"w": weights(2, 2)}),
        ],
    ),
    "layers": (
        (2, 4, 6, 7),
        [
            (stepconv.correlate, {"w": weights(6, 2, 3, 3), "groups": 2, "stride": 2}),
            (stepconv.correlate_transpose, {"w": weights(6, 1, 2, 2), "stride": 2, "groups": 3}),
            (stepconv.correlate, {"w": weights(2, 3, 2, 2), "padding": 1, "mode": "circular"}),
        ],
    ),
    "branches": (
        (7, 7),
        [
            (stepconv.correlate, {"w": weights(3, 3), "padding": "same"}),
            (stepconv.avg_pool, {"x": From(), "window": 2}),
            (stepconv.correlate, {"x": From(0), "w": weights(2, 2), "stride": 2}),
        ],
    ),
    "joined": (
        (2, 5, 4),
        [
            (stepconv.correlate, {"w": weights(2, 2, 3, 3), "padding": "same"}),
            (stepconv.correlate, {"x": From(), "w": weights(2, 1, 1, 2), "groups": 2}),
            (stepconv.pad, {"padding": ((0, 0), (0, 1))}),
            (stepconv.add, {"y": From(0)}),
            (stepconv.subtract, {"y": From()}),
            (stepconv.concat, {"y": From(0)}),
            (stepconv.correlate, {"w": weights(1, 4, 1, 1)}),
        ],
    ),
}
every_chain = pytest.mark.parametrize("name", LINEAR)


def recorded(name: str, x: Array | None = None) -> Chain:
    shape, calls = LINEAR[name]
    start = RNG.normal(size=shape) if x is None else x
    return stepconv.record(calls, start, backend="textbook")


@every_chain
def test_a_chain_is_its_calls_made_one_by_one(name: str) -> None:
    x = RNG.normal(size=LINEAR[name][0])
    chain, made = recorded(name, x), [x]
    for function, options in LINEAR[name][1]:
        given = {"x": From(len(made) - 2 if made[1:] else None), **options}
        for key, value in given.items():
            if isinstance(value, From):
                given[key] = made[0] if value.link is None else made[value.link + 1]
        with stepconv.use_backend("textbook"):
            made.append(function(**given))
    assert [trace.output.tolist() for trace in chain] == [each.tolist() for each in made[1:]]
    assert chain.output is chain[-1].output


@every_chain
def test_cells_are_linked_where_a_change_of_one_changes_the_other(name: str) -> None:
    """The pattern of the linear map from the input to every link is what the links say."""
    zeros = np.zeros(LINEAR[name][0])
    chain = recorded(name, zeros)
    fields = [[chain.field(i, step) for step in range(len(chain[i]))] for i in range(len(chain))]
    for cell in range(0, zeros.size, max(zeros.size // 20, 1)):
        unit = zeros.copy()
        unit.reshape(-1)[cell] = 1
        for i, trace in enumerate(recorded(name, unit)):
            reached = [cell in fields[i][step].get(None, ()) for step in range(len(trace))]
            assert reached == (trace.output.reshape(-1) != 0).tolist()


@every_chain
def test_what_a_cell_was_made_from_goes_to_it(name: str) -> None:
    chain = recorded(name)
    for i, trace in enumerate(chain):
        for step in range(len(trace)):
            for source, cells in chain.made_from(i, step):
                for cell in cells[:3].tolist():
                    goes = {
                        each.link: each.numbers.tolist() for each in chain.goes_to(source, cell)
                    }
                    assert step in goes[i]


def test_two_links_may_take_the_same() -> None:
    chain = recorded("branches")
    assert [each.link for each in chain.goes_to(None, 24)] == [0, 1]
    assert [each.link for each in chain.goes_to(0, 24)] == [2]
    assert chain.goes_to(1, 0) == ()


def test_worked_numbers() -> None:
    calls = [(stepconv.correlate, {"w": [1, 0, -1]}), (stepconv.relu, {})]
    chain = stepconv.record(calls, [1, 2, 9, 4, 5, 0], backend="textbook")
    assert chain[0].output.tolist() == [-8, -2, 4, 4]
    assert chain.output.tolist() == [0, 0, 4, 4]
    chain = chain.then(stepconv.max_pool, window=2)
    assert chain.output.tolist() == [0, 4]
    assert [trace.op for trace in chain] == ["correlate", "relu", "max_pool"]
    found = {link: cells.tolist() for link, cells in chain.field(2, 1).items()}
    assert found == {1: [2, 3], 0: [2, 3], None: [2, 3, 4, 5]}


def test_a_cell_in_the_padding_is_no_cell() -> None:
    chain = stepconv.record(
        [(stepconv.correlate, {"w": [1, 1, 1], "padding": 3})], [1, 2], backend="textbook"
    )
    assert chain.made_from(0, 0) == ()
    assert chain.made_from(0, 2)[0].numbers.tolist() == [0, 1]


def test_gradients_are_links_as_well() -> None:
    chain = stepconv.record(
        [(stepconv.relu, {}), (stepconv.relu_backward, {"x": From(), "grad_out": From(0)})],
        [3, -1],
        backend="textbook",
    )
    assert chain.output.tolist() == [3, 0]
    assert [(link, cells.tolist()) for link, cells in chain.made_from(1, 0)] == [(0, [0])]


def test_its_numbers_stay_whatever_becomes_of_the_array() -> None:
    x = np.array([1.0, -1.0])
    chain = stepconv.record([(stepconv.relu, {})], x, backend="textbook")
    x[:] = 7
    assert chain.input.tolist() == [1, -1]
    assert not chain.input.flags.writeable


def test_equal_chains_are_equal() -> None:
    x = np.arange(49.0).reshape(7, 7)
    assert recorded("branches", x) == recorded("branches", x)
    assert recorded("branches", x) != recorded("branches", x + 1)
    calls = [(stepconv.relu, {}), (stepconv.relu, {})]
    rejoined = [calls[0], (stepconv.relu, {"x": From()})]
    assert stepconv.record(calls, [1]) != stepconv.record(rejoined, [1])
    assert stepconv.record(calls, [1]) != "a chain"


def test_it_tells_itself() -> None:
    about = stepconv.About("a title", channels=("red",))
    calls = [(stepconv.correlate, {"w": [[[1]]]}), (stepconv.relu, {})]
    chain = stepconv.record(calls, [[3, -1]], backend="textbook", about=about)
    assert repr(chain) == "<Chain of correlate, relu: 1x2 to 1x2>"
    assert chain.in_words().splitlines()[1] == "link 1 of 2, ReLU: from link 0, output 1x2"
    assert chain._repr_html_().count("<iframe") == 1
    assert chain[0].about.title == "a title"
    assert chain[1].about.title == ""  # a caption belongs to its own call
    with pytest.raises(IndexError, match="link 2 is not in this chain: 0 to 1 fit"):
        chain[2]
    assert len(chain[0:1]) == 1


@pytest.mark.parametrize(
    ("calls", "kind", "says"),
    [
        ([], ArgumentError, "a chain of no call"),
        (
            [(stepconv.relu, {}), (stepconv.correlate, {"w": [1, 1, 1]})],
            ArgumentError,
            "link 1, correlate: kernel 3 does not fit",
        ),
        ([(stepconv.max_pool, {})], ArgumentTypeError, "link 0, max_pool: max_pool: missing"),
        ([(stepconv.relu, {"x": [1]})], ArgumentError, "link 0, relu: x is what comes out of"),
        (
            [(stepconv.relu, {}), (stepconv.relu, {"x": From(1)})],
            ArgumentError,
            "link 1, relu: x=From(1) is no link before this one: 0 to 0, or None",
        ),
        ([(stepconv.relu, {"x": From(0)})], ArgumentError, "x=From(0) is no link before"),
        ([(len, {})], ArgumentError, "link 0, len: len cannot be recorded"),
        ([(stepconv.relu, {"backend": "gpu"})], StepconvError, "link 0, relu: backend"),
    ],
)
def test_a_refusal_names_the_link(calls: Calls, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as caught:
        stepconv.record(calls, [1, 2])
    assert says in str(caught.value)


def test_what_joins_two_branches_in_words() -> None:
    x = np.array([[[3.0, -1.0]]])
    calls = [
        (stepconv.relu, {}),
        (stepconv.subtract, {"y": From()}),
        (stepconv.add, {"y": From(0)}),
        (stepconv.concat, {"y": From()}),
    ]
    chain = stepconv.record(calls, x, backend="textbook")
    assert chain.output.tolist() == [[[3, 1]], [[3, -1]]]
    assert chain[1][1].in_words().endswith("row 0, column 1: 0 - (-1) = 1")
    assert chain[2][1].in_words().endswith("row 0, column 1: 1 + 0 = 1")
    assert chain[3][3].in_words().endswith("row 0, column 1: -1, from y")
    assert [(cells.link, cells.numbers.tolist()) for cells in chain.made_from(2, 1)] == [
        (1, [1]),
        (0, [1]),
    ]
    assert [(cells.link, cells.numbers.tolist()) for cells in chain.made_from(3, 3)] == [
        (None, [1])
    ]
