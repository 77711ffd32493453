"""Numbers in prose: `{output[0, 3]}` is filled in, `{75 = output[0, 3]}` is checked.

An expression is Python's arithmetic on names that are handed in. It is walked through before it is
computed: what is no arithmetic (an attribute with an underscore, a call of anything but a function
by its name) is refused, as a lesson may come from anybody.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from stepconv.errors import ArgumentError, StepconvError, closest
from stepconv.lessons.words import NUMBERS, say, together

Names = Mapping[str, Any]

braces = re.compile(r"\{([^{}]*)\}")
_EQUALS = " = "
_ARITHMETIC = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Slice),
    *(ast.Tuple, ast.List, ast.UnaryOp, ast.USub, ast.Not, ast.BinOp, ast.Add, ast.Sub, ast.Mult),
    *(ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE),
    *(ast.Gt, ast.GtE, ast.Call, ast.keyword),
)
_LARGEST_POWER = 64
_MULTIPLES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER = re.compile(r"([+-]?(?=[.\d])(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?)(?:/([1-9]\d*))?(%?)")


def fill(text: str, names: Names) -> str:
    """Return a text with its braces filled in; what contradicts the engine is refused.

    >>> fill("{size} cells, {nine = 3 * size} in all", {"size": 3})
    '3 cells, nine in all'
    """
    return braces.sub(lambda match: together(_filled(match[1], names)), text)


def _filled(inside: str, names: Names) -> str:
    written, equals, expression = inside.partition(_EQUALS)
    if not equals:
        return say(value(inside, names))
    computed = value(expression, names)
    if not agrees(written.strip(), computed):
        raise ArgumentError(f"{{{inside}}} does not hold: the engine gives {say(computed)}")
    return written.strip()


def value(expression: str, names: Names) -> Any:
    """Return what an expression gives.

    >>> value("x[0] + 2 * sum(x)", {"x": [1, 2], "sum": sum})
    7
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        raise ArgumentError(f"{{{expression}}} is no expression: output[0, 3] fits") from None
    for node in ast.walk(tree):
        _check(node, expression, names)
    try:
        return eval(compile(tree, "<lesson>", "eval"), {"__builtins__": {}}, dict(names))
    except StepconvError:
        raise
    except Exception as error:  # whatever arithmetic on arrays may say
        raise ArgumentError(f"{{{expression}}} cannot be computed: {error}") from None


def _check(node: ast.AST, expression: str, names: Names) -> None:
    if not isinstance(node, _ARITHMETIC):
        raise ArgumentError(f"{{{expression}}} is more than arithmetic: {type(node).__name__}")
    if isinstance(node, ast.Name) and node.id not in names:
        hint = closest(node.id, names, f"{', '.join(sorted(names))} are known")
        raise ArgumentError(f"{{{expression}}}: {node.id!r} is not known: {hint}")
    if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        raise ArgumentError(f"{{{expression}}}: {node.attr!r} is not for lessons")
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        raise ArgumentError(f"{{{expression}}} calls something that has no name here")
    if isinstance(node, ast.BinOp):
        _check_sizes(node, expression)


def _check_sizes(node: ast.BinOp, expression: str) -> None:
    """Refuse what a few characters could make endless: powers of powers, lists times a number."""
    if isinstance(node.op, ast.Pow):
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        nested = any(isinstance(each, ast.Pow) for each in ast.walk(node.left))
        if not isinstance(power, int) or power > _LARGEST_POWER or nested:
            raise ArgumentError(f"{{{expression}}}: a power is a number up to {_LARGEST_POWER}")
    for side in (node.left, node.right):
        text = isinstance(side, ast.Constant) and isinstance(side.value, str)
        if text or isinstance(side, ast.List | ast.Tuple):
            raise ArgumentError(f"{{{expression}}} computes with a list: array([1, 2]) fits")


def agrees(written: str, computed: Any) -> bool:
    """Tell whether what is written says what was computed, to the digits that are written.

    >>> agrees("1,024", 2**10), agrees("0.67", 2 / 3), agrees("75 0", [75, 1]), agrees("nine", 9)
    (True, True, False, True)
    >>> agrees("3x3", (3, 3)), agrees("67.5 million", 67_500_000), agrees("1/16", 0.0625)
    (True, True, True)
    """
    if isinstance(computed, str):
        return written.casefold() == computed.casefold()
    if isinstance(computed, bool | np.bool_):
        return written.casefold() in (("yes", "true") if computed else ("no", "false"))
    found = read_numbers(written)
    if found is None:
        return False
    wanted = np.ravel(np.asarray(computed, dtype=np.float64))
    return len(found) == len(wanted) and all(
        abs(number - exact) <= within + 1e-9 * abs(exact)
        for (number, within), exact in zip(found, wanted.tolist(), strict=True)
    )


def read_numbers(written: str) -> list[tuple[float, float]] | None:
    """Return the numbers that are written, each with how far its last digit reaches."""
    text = written.lower()
    if re.fullmatch(r"\d+(x\d+)+", text):
        return [(float(each), 0.0) for each in text.split("x")]
    found: list[tuple[float, float]] = []
    for word in re.split(r"[\s;|]+|,\s+", text):
        if word in _MULTIPLES and found:
            number, within = found[-1]
            found[-1] = number * _MULTIPLES[word], max(within, 0.5) * _MULTIPLES[word]
        elif word in NUMBERS:
            found.append((float(NUMBERS.index(word)), 0.0))
        elif match := _NUMBER.fullmatch(word):
            found.append(_number(*match.groups()))
        elif word:
            return None
    return found


def _number(digits: str, below: str | None, percent: str) -> tuple[float, float]:
    plain = digits.replace(",", "")
    decimals = len(plain.partition(".")[2])
    scale = 0.01 if percent else 1.0
    within = 0.5 * 10.0**-decimals * scale if decimals or percent else 0.0
    return float(plain) * scale / float(below or 1), within
