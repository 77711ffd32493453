"""ONNX's own cases of its convolutions, pools and pads, as shipped with the package onnx.

Some are made in Python when asked for (kind "node"), others were recorded from PyTorch's tests.
Every case of one or two spatial axes that stepconv's interface can express passes by ONNX's own
tolerance; LEFT_OUT names all the others.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from tests.conformance.onnx_adapter import OPERATORS, Inexpressible, run

HAS_ONNX = importlib.util.find_spec("onnx") is not None

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not HAS_ONNX, reason="ONNX's cases come with the package onnx"),
]

THREE_AXES = "3 spatial axes"
NO_DILATION = "avg_pool has no dilation"

LEFT_OUT = {
    "test_averagepool_2d_dilations": NO_DILATION,
    "test_averagepool_3d_default": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": THREE_AXES,
    "test_averagepool_3d_dilations_small": THREE_AXES,
    "test_AvgPool3d": THREE_AXES,
    "test_AvgPool3d_stride": THREE_AXES,
    "test_AvgPool3d_stride1_pad0_gpu_input": THREE_AXES,
    "test_Conv3d": THREE_AXES,
    "test_Conv3d_dilated": THREE_AXES,
    "test_Conv3d_dilated_strided": THREE_AXES,
    "test_Conv3d_groups": THREE_AXES,
    "test_Conv3d_no_bias": THREE_AXES,
    "test_Conv3d_stride": THREE_AXES,
    "test_Conv3d_stride_padding": THREE_AXES,
    "test_convtranspose_3d": THREE_AXES,
    "test_maxpool_3d_default": THREE_AXES,
    "test_maxpool_3d_dilations": THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl": THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl_large": THREE_AXES,
    "test_MaxPool3d": THREE_AXES,
    "test_MaxPool3d_stride": THREE_AXES,
    "test_MaxPool3d_stride_padding": THREE_AXES,
}

# ONNX makes a case when the module of its operator is imported; the other 200 modules take
# seconds, and warn.
MODULES = (
    *("conv", "convtranspose", "pad", "maxpool", "averagepool"),
    *("globalmaxpool", "globalaveragepool"),
)

# Minutes in the plain Python of the textbook: 68 million multiplications, windows of 60x80 cells.
TOO_LONG_FOR_TEXTBOOK = {"test_operator_conv", "test_MaxPool2d_stride_padding_dilation"}


@cache
def cases() -> dict[str, Any]:
    """Return every case whose graph holds one of our operators and nothing that is foreign."""
    if not HAS_ONNX:
        return {}
    return {case.name: case for case in (*made_cases(), *recorded_cases())}


def made_cases() -> Iterator[Any]:
    from onnx.backend.test.case import node

    for name in MODULES:
        importlib.import_module(f"{node.__name__}.{name}")
    return (case for case in node._NodeTestCases if is_ours(case.model))


def recorded_cases() -> Iterator[Any]:
    import onnx
    from onnx.backend.test.loader import load_model_tests

    for kind in ("pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            folder = Path(str(case.model_dir))
            model = onnx.load(folder / "model.onnx")
            if is_ours(model):
                sets = [
                    (read(path, "input"), read(path, "output"))
                    for path in sorted(folder.glob("test_data_set_*"))
                ]
                yield replace(case, model=model, data_sets=sets)


def read(folder: Path, name: str) -> list[Any]:
    import onnx
    from onnx import numpy_helper

    count = len(list(folder.glob(f"{name}_*.pb")))
    paths = [folder / f"{name}_{index}.pb" for index in range(count)]
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in paths]


def is_ours(model: Any) -> bool:
    operators = {node.op_type for node in model.graph.node}
    return operators <= OPERATORS.keys() and not operators <= {"Unsqueeze", "Squeeze"}


EXPRESSIBLE = cases().keys() - LEFT_OUT.keys()


@pytest.mark.parametrize("name", sorted(EXPRESSIBLE))
def test_cpu(name: str) -> None:
    check(name, "cpu")


@pytest.mark.parametrize("name", sorted(EXPRESSIBLE - TOO_LONG_FOR_TEXTBOOK))
def test_textbook(name: str) -> None:
    check(name, "textbook")


def check(name: str, backend: str) -> None:
    case = cases()[name]
    with stepconv.use_backend(backend):
        for inputs, expected in case.data_sets:
            for result, output in zip(run(case.model, inputs), expected, strict=True):
                assert result.dtype == output.dtype
                np.testing.assert_allclose(result, output, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_left_out(name: str) -> None:
    """A case in the table is there for the reason given, and only as long as that holds."""
    assert name in cases(), "this release of ONNX has no such case"
    with pytest.raises(Inexpressible, match=f"^{LEFT_OUT[name]}$"):
        run(cases()[name].model, cases()[name].data_sets[0][0])


def test_cases_are_found() -> None:
    """ONNX 1.23 has 66 made and 51 recorded ones: a change of its folders must not pass unseen."""
    assert len(cases()) >= 110
    tested = {node.op_type for case in cases().values() for node in case.model.graph.node}
    assert tested == OPERATORS.keys()
