"""What people call the arguments that we know by one name."""

from __future__ import annotations

_X = (
    "x image images img imgs input inputs inp input_data a_prev a_slice_prev a data signal arr "
    "array matrix im picture pic src in_ x_in in1 batch feature_map features tensor xs f i a_in"
)
_W = "w weight weights kernel kernels k filter filters filt kern h g filt_w in2 v"
_COMMON = {
    "grad_out": "grad_out dout dz da dy delta grad grad_output d_out upstream gradient dl_dout "
    "dldz dldy dlda grads top_grad grad_y dl d_l_d_out",
    "cache": "cache",
    "dict": "conv_param pool_param hparameters hparams params param config options opts hparam",
    "stride": "stride strides step s",
    "padding": "padding pad pads p",
    "dilation": "dilation dilations dilation_rate rate d",
    "groups": "groups group",
    "out": "out output",
    "stride_rows": "stride_h sh stride_height stride_y",
    "stride_columns": "stride_w sw stride_width stride_x",
    "padding_rows": "pad_h ph pad_height padding_h",
    "padding_columns": "pad_w pw padding_w",
}
_SLIDING = {
    "x": _X,
    "w": _W,
    "bias": "bias b biases",
    "mode": "mode padding_mode pad_mode border_mode",
    "output_padding": "output_padding out_pad",
    "identity": "activation act",
    **{name: name for name in ("out_shape", "out_strides", "out_size", "reverse")},
    "x_shape": "input_shape",
    "x_strides": "input_strides",
    "w_shape": "weight_shape",
    "w_strides": "weight_strides",
    "ddepth": "ddepth",
    "channels_in": "in_channels in_channel c_in in_ch input_channels n_in inp_channels",
    "channels_out": "out_channels out_channel c_out out_ch output_channels n_out num_filters "
    "n_filters nb_filters",
    "kernel_size": "kernel_size ksize filter_size size f_size",
}
_POOLING = {
    "x": _X,
    "window": "window pool_size kernel_size k size pool f kernel_shape ksize window_size kernel "
    "pool_shape shape kernel_sizes pool_kernel",
    "window_rows": "pool_h pool_height window_h window_height kh kernel_h",
    "window_columns": "pool_w pool_width window_w window_width kw kernel_w",
    "kind": "mode pool_type type kind method pool_mode",
    "ceil_mode": "ceil_mode",
    "count_include_pad": "count_include_pad",
}
_PAD = {
    "x": _X,
    "padding": "padding pad p pads width n pad_width amount pad_size",
    "padding_rows": "pad_height pad_h ph",
    "padding_columns": "pad_width pad_w pw",
    "before_rows": "top",
    "after_rows": "bottom",
    "before_columns": "left",
    "after_columns": "right",
    "value": "value constant pad_value fill constant_value",
    "mode": "mode",
}
_FAMILIES = {
    "sliding": _COMMON | _SLIDING,
    "pooling": _COMMON | _POOLING,
    "pad": _PAD,
    "cells": {
        "x": _X + " z",
        "slope": "slope alpha negative_slope leak",
        "grad_out": _COMMON["grad_out"],
        "cache": "cache",
    },
    "flip": {"w": f"{_W} {_X} matrix"},
}
_LAYER = _X + " z"
_CACHE = {"cache": "cache", "grad_out": _COMMON["grad_out"]}
_DICT = _COMMON["dict"] + " config optim_config bn_param dropout_param"
_STEP = {
    "w": "w weights weight param params parameter parameters p theta x",
    "grad": "dw grad g gradient gradients grads d dtheta dx dparams",
    "lr": "lr learning_rate eta alpha step_size rate",
    "dict": "config optim_config hparameters options opts",
}
# What networks are trained with.
_FAMILIES |= {
    "dense": {"x": _X, "w": _W, "bias": "bias b biases"} | _CACHE,
    "cross-entropy": {
        "x": "x logits scores z pred preds y_pred yhat y_hat probs prob p output outputs out a al "
        "predictions softmax_out",
        "labels": "labels label y y_true t target targets true ys y_onehot",
        "cache": "cache",
    },
    "batch-norm": {
        "x": _LAYER,
        "gamma": "gamma scale weight g w",
        "beta": "beta shift bias b offset",
        "epsilon": "eps epsilon e",
        "train": "train training is_train is_training",
        "mode": "mode",
        "dict": _DICT,
    }
    | _CACHE,
    "dropout": {
        "x": _LAYER,
        "rate": "p rate prob drop drop_prob dropout_rate dropout p_drop q dropout_prob",
        "keep": "keep keep_prob keep_p p_keep keep_rate",
        "train": "train training is_train is_training",
        "mode": "mode",
        "dict": _DICT,
    },
    "sgd": _STEP,
    "adam": _STEP
    | {
        "m": "m exp_avg mt m_t first_moment",
        "v": "v exp_avg_sq vt v_t s second_moment",
        "t": "t step iteration i it iter n",
        "beta1": "beta1 beta_1 b1",
        "beta2": "beta2 beta_2 b2",
        "epsilon": "eps epsilon e",
    },
}
# What a key of an option dict, or of **kwargs, is to us.
_TABLES = {
    family: {name: role for role, names in roles.items() for name in names.split()}
    for family, roles in _FAMILIES.items()
}


# What takes powers: right but for rounding, of numbers that are not large.
CURVES = ("leaky-relu", "tanh", "sigmoid", "softmax")


def family(op: str) -> str:
    """Return the operations that share their words with this one."""
    op = op.removesuffix("-backward")
    if op in _FAMILIES:
        return op
    if op in ("correlate", "convolve", "transpose"):
        return "sliding"
    return {"max-pool": "pooling", "avg-pool": "pooling", "pad": "pad", "flip": "flip"}.get(
        op, "cells"
    )


def role(name: str, op: str) -> str:
    """Return what an argument of this name is to us, or nothing.

    >>> role("A_prev", "correlate"), role("pool_size", "max-pool"), role("colour", "correlate")
    ('x', 'window', '')
    """
    plain = name.lower().strip("_")
    return _TABLES[family(op)].get(plain, "")
