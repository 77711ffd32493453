"""How people lay out what networks are trained with: pictures in rows or columns, and labels."""

from __future__ import annotations

from collections.abc import Collection

from stepconv.testing.forms.courses import Form
from stepconv.testing.forms.names import family, role
from stepconv.testing.tasks import TASKS

# PyTorch's weights; pictures in columns, as deeplearning.ai has them; one picture alone.
_DENSE: tuple[dict[str, str], ...] = (
    {},
    {"w": "OI", "grad_w": "OI"},
    {"x": "IN", "w": "OI", "bias": "O1", "result": "ON", "grad_out": "ON", "grad_x": "IN"}
    | {"grad_w": "OI", "grad_bias": "O1"},
    *(
        {"x": "I", "w": w, "result": "O", "grad_out": "O", "grad_x": "I", "grad_w": w}
        for w in ("IO", "OI")
    ),
)
_LAYOUTS: dict[str, tuple[dict[str, str], ...]] = {
    "dense": _DENSE,
    "cross-entropy": (
        {},
        {"labels": "NK"},
        {"x": "KN", "labels": "KN", "grad_x": "KN"},
        {"labels": "N1"},
    ),
}
# Words for answers that are probabilities already.
_SHARES = "probs prob p y_pred y_hat yhat predictions a_l al softmax_out"


def exercise_forms(op: str, parameters: Collection[str]) -> list[Form]:
    """Return the ways in which arrays may come, the likely first."""
    ours, known = TASKS[op].axes, family(op)
    forms = []
    shares = known == "cross-entropy"
    for probabilities in (False, True) if shares else (False,):
        for axes in _LAYOUTS.get(known, ({},)):
            laid = {name: axes.get(name, letters) for name, letters in ours.items()}
            x, w = laid.get("x", laid.get("w", "")), laid.get("w", "")
            out = laid.get("result", x)
            form = Form("plain", "", op, "", "", x, w, out, axes=axes, probabilities=probabilities)
            forms.append(form)
    words = {name.lower() for name in parameters if role(name, op) == "x"}
    if words & {*_SHARES.split()}:
        forms.sort(key=lambda form: not form.probabilities)
    return forms
