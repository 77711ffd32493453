"""The records of operations say what the functions, the kernels and the gradients really are."""

import inspect

import pytest

import stepconv
from stepconv import kernels, ops
from stepconv.operations import OPERATIONS, PASSES, Operation

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


def parameters(name: str) -> list[str]:
    taken = inspect.signature(getattr(stepconv, name)).parameters
    return [parameter for parameter in taken if parameter not in ("backend", "algorithm")]


@every_operation
def test_a_record_has_the_arguments_of_its_function(operation: Operation) -> None:
    assert parameters(operation.name) == [*operation.arrays, *operation.options]


@every_operation
def test_the_way_back_takes_the_same_options(operation: Operation) -> None:
    back = f"{operation.name}_backward"
    assert hasattr(stepconv, back) is bool(operation.gradients)
    if operation.gradients:
        known = {"grad_out", "shape", *operation.arrays, *operation.options}
        assert "grad_out" in parameters(back)
        assert set(parameters(back)) <= known


def test_every_function_has_a_record_and_a_door() -> None:
    functions = {name for one in OPERATIONS.values() for name in (one.name, f"{one.name}_backward")}
    assert set(ops.__all__) <= functions
    assert set(ops.CALLS) == set(OPERATIONS)


def test_the_table_of_kernels_is_what_the_passes_need() -> None:
    assert set(kernels.OPERATIONS) == {one.kernel for one in PASSES.values()} - {""}
    assert "convolve" not in kernels.OPERATIONS  # it is a correlation by the kernel turned


def test_names_and_titles_follow_from_the_operation() -> None:
    assert PASSES["correlate_grad_bias"].title == "gradient for the bias, cross-correlation"
    assert PASSES["max_pool_backward"].title == "gradient for the input, max pooling"
    assert PASSES["relu"].gradient is None
    assert PASSES["convolve_grad_w"].gradient == "w"
    assert OPERATIONS["correlate_transpose"].word == "transpose"
    assert OPERATIONS["leaky_relu"].word == "leaky-relu"
