"""Right answers of every course are judged right, and it is said how they were read."""

import json
from pathlib import Path

import pytest

from stepconv.testing import checks
from stepconv.testing.forms.courses import FORMS
from stepconv.testing.forms.finding import listed

HOMEWORK = Path(__file__).parent / "homework"
# File and function, what it does, the form that it should be taken for, an option that is asked.
RIGHT = """
cs231n.py:conv_forward_naive        correlate           cs231n-conv                 bias
cs231n.py:Conv.forward              correlate           cs231n-conv                 stride
cs231n.py:Conv                      correlate           cs231n-conv                     padding
cs231n.py:conv_backward_naive       correlate-backward  cs231n-conv-backward        stride
cs231n.py:Conv.backward             correlate-backward  cs231n-conv-backward        padding
cs231n.py:Conv                      correlate-backward  cs231n-conv-backward        padding
cs231n.py:max_pool_forward_naive    max-pool            cs231n-pool                 stride
cs231n.py:MaxPool                   max-pool            cs231n-pool                 stride
cs231n.py:max_pool_backward_naive   max-pool-backward   cs231n-pool-backward        stride
cs231n.py:MaxPool                   max-pool-backward   cs231n-pool-backward        stride
cs231n.py:relu_forward              relu                -                           -
cs231n.py:relu_backward             relu-backward       -                           -
deeplearning_ai.py:zero_pad         pad                 deeplearning-ai-pad         -
deeplearning_ai.py:conv_single_step correlate           deeplearning-ai-single-step bias
deeplearning_ai.py:conv_forward     correlate           deeplearning-ai-conv        padding
deeplearning_ai.py:pool_forward     max-pool            deeplearning-ai-pool        stride
deeplearning_ai.py:pool_forward     avg-pool            deeplearning-ai-pool        stride
deeplearning_ai.py:conv_backward    correlate-backward  deeplearning-ai-conv-backward stride
deeplearning_ai.py:create_mask_from_window max-pool-backward deeplearning-ai-mask   -
deeplearning_ai.py:distribute_value avg-pool-backward   deeplearning-ai-distribute  -
deeplearning_ai.py:pool_backward    max-pool-backward   deeplearning-ai-pool-backward stride
deeplearning_ai.py:pool_backward    avg-pool-backward   deeplearning-ai-pool-backward stride
holberton.py:convolve_grayscale_valid   correlate       holberton-grayscale-valid   -
holberton.py:convolve_grayscale_same    correlate       holberton-grayscale-same    -
holberton.py:convolve_grayscale_padding correlate       holberton-grayscale         padding
holberton.py:convolve_grayscale     correlate           holberton-grayscale         stride
holberton.py:convolve_channels      correlate           holberton-channels          padding
holberton.py:convolve               correlate           holberton-kernels           padding
holberton.py:pool                   max-pool            holberton-pool              stride
holberton.py:pool                   avg-pool            holberton-pool              stride
holberton.py:conv_forward           correlate           holberton-conv-forward      bias
holberton.py:pool_forward           max-pool            holberton-pool-forward      stride
holberton.py:conv_backward          correlate-backward  holberton-conv-backward     stride
holberton.py:pool_backward          max-pool-backward   holberton-pool-backward     stride
holberton.py:pool_backward          avg-pool-backward   holberton-pool-backward     stride
others.py:corr2d                    correlate           d2l-corr2d                  -
others.py:corr2d_multi_in           correlate           d2l-multi-in                -
others.py:corr2d_multi_in_out       correlate           d2l-multi-in-out            -
others.py:pool2d                    max-pool            d2l-pool                    -
others.py:pool2d                    avg-pool            d2l-pool                    -
others.py:zero_pad                  pad                 cs131-pad                   -
others.py:conv_nested               convolve            cs131-conv                  -
others.py:conv_fast                 convolve            cs131-conv                  -
others.py:cross_correlation         correlate           cs131-correlation           -
others.py:conv1d_minimal            correlate           arena-conv1d                -
others.py:conv1d                    correlate           arena-conv1d                stride
others.py:conv2d                    correlate           arena-conv2d                padding
others.py:pad1d                     pad                 arena-pad1d                 value
others.py:pad2d                     pad                 arena-pad2d                 value
others.py:maxpool2d                 max-pool            arena-maxpool2d             padding
others.py:conv                      correlate           dlsys-conv                  padding
others.py:tensor_conv2d             correlate           minitorch-conv2d            -
others.py:filter2D                  correlate           opencv-filter               -
others.py:torch_conv2d              correlate           -                           groups
others.py:keras_conv2d              correlate           -                           padding
others.py:tensorflow_conv2d         correlate           -                           padding
others.py:torch_pad                 pad                 -                           value
others.py:decorated                 correlate           -                           stride
others.py:wrapped                   correlate           -                           padding
others.py:by_keywords               correlate           -                           stride
others.py:any_arguments             correlate           -                           -
others.py:with_a_word               correlate           -                           padding
others.py:ints_alone                max-pool            -                           stride
others.py:not_understood            correlate           -                           stride
others.py:by_fourier                correlate           -                           -
others.py:single_precision          correlate           -                           -
classes.py:Conv2d                   correlate           -                           bias
classes.py:Conv2d                   correlate-backward  -                           stride
classes.py:Convolution.forward      correlate           -                           bias
classes.py:Pooling                  max-pool            scratch-pooling             stride
classes.py:MaxPool2d_stride1        max-pool            11-785-pool-stride1         -
classes.py:TinyConv                 correlate           -                           bias
classes.py:MaxPool2d                max-pool            -                           stride
classes.py:Conv1d                   correlate           -                           stride
classes.py:Conv2D                   correlate           -                           stride
classes.py:Filter.apply             correlate           -                           -
"""
ROWS = [tuple(line.split()) for line in RIGHT.strip().splitlines()]
# One answer in each form is enough where time counts.
FIRST = {row[2]: row for row in reversed(ROWS)}


@pytest.mark.parametrize(
    ("target", "op", "form", "option"),
    [pytest.param(*row, marks=() if FIRST[row[2]] is row else pytest.mark.slow) for row in ROWS],
)
def test_a_right_answer_is_right(target: str, op: str, form: str, option: str) -> None:
    report = checks.check(str(HOMEWORK / target), op)
    assert report.right, report
    assert report.reading.form.name == ("plain" if form == "-" else form)
    assert option == "-" or option in report.tested
    assert report.calls >= 15


def test_every_form_has_a_right_answer() -> None:
    tried = {row[2] for row in ROWS}
    assert {form.name for form in FORMS} - tried == {"minitorch-conv1d", "minitorch-valid"}
    assert len(list(listed())) == len(FORMS)


def test_what_is_understood_is_said_and_what_is_not_is_named() -> None:
    report = checks.check(str(HOMEWORK / "cs231n.py:conv_forward_naive"), "correlate")
    assert report.form == (
        "x (N, C, H, W), w (O, I, H, W), b (O), conv_param = {'stride', 'pad'} -> (out, cache) "
        "(CS231n, EECS498: cs231n-conv)"
    )
    report = checks.check(str(HOMEWORK / "others.py:not_understood"), "correlate")
    assert report.unknown == ("border",)
    assert "NOT tested, as nobody knows what they mean: border" in str(report)
    report = checks.check(str(HOMEWORK / "others.py:ints_alone"), "max-pool")
    assert "it takes whole numbers alone" in report.remarks[0]
    report = checks.check(str(HOMEWORK / "others.py:single_precision"), "correlate")
    assert any("float32" in remark for remark in report.remarks)


def test_another_rank_is_hinted_at() -> None:
    report = checks.check(str(HOMEWORK / "others.py:torch_conv2d"), "correlate", rank=2)
    assert not report.right
    assert any("try --rank 4" in remark for remark in report.remarks)


def test_a_form_can_be_named(tmp_path: Path) -> None:
    source = (HOMEWORK / "others.py").read_text().replace("def conv(a, b,", "def mine(a, b,")
    (tmp_path / "own.py").write_text(source)
    report = checks.check(f"{tmp_path / 'own.py'}:mine", "correlate", form="dlsys-conv")
    assert report.right
    assert report.reading.form.name == "dlsys-conv"


def test_a_notebook_is_read_cell_by_cell(tmp_path: Path) -> None:
    source = (HOMEWORK / "others.py").read_text().partition("# CS131")[0]
    cells = [["%matplotlib inline\n", "!pip list\n"], ["1 / 0\n"], [source]]
    told = {"cells": [{"cell_type": "code", "source": lines} for lines in cells]}
    notebook = tmp_path / "hw.ipynb"
    notebook.write_text(json.dumps(told))
    assert checks.check(f"{notebook}:corr2d", "correlate").right
