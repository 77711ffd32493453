"""A setting of the editor, or a chain, as the command line that plays it."""

import shlex
from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError
from stepconv.operations import OPERATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.player.setting import Setting
    from stepconv.trace import Chain

# Longer lines nobody wants to paste.
_MOST_CELLS = 1000


def command(record: "Setting | Chain") -> str:
    """Return what one types to play a setting, or a chain.

    >>> import stepconv
    >>> from stepconv.player.setting import setting_of
    >>> command(setting_of(stepconv.record(stepconv.correlate, [1, 2, 3], [1, 1], padding=1)))
    "stepconv play --input '1 2 3' --op correlate --kernel '1 1' --stride 1 --padding 1 ..."
    """
    from stepconv.player.setting import Setting
    from stepconv.trace import pictures

    if not isinstance(record, Setting):
        return _chain_command(record)
    one, given = OPERATIONS[record.op], record.arguments
    words = ["stepconv", "play", "--input", _array(given["x"], pictures()), "--op", one.word]
    return " ".join(map(shlex.quote, [*words, *_options(record)]))


def _chain_command(chain: "Chain") -> str:
    """Return what one types to play a chain whose links are calls on what the one before gave."""
    from stepconv.player.setting import setting_of
    from stepconv.trace import From

    for number, (trace, sources) in enumerate((each.trace, each.sources) for each in chain.links):
        before = From(number - 1 if number else None)
        others = {name: link for name, link in sources.items() if name not in ("x", "y")}
        if trace.call.is_backward or sources.get("x") != before or others:
            raise ArgumentError(
                f"link {number} has no line of its own: s saves the chain in a file"
            )
    words = [command(setting_of(chain[0]))]
    for link in chain.links[1:]:
        then = [OPERATIONS[link.trace.op].word]
        if "y" in link.trace.arrays:
            taken = link.sources.get("y")
            named = "input" if taken == From() else f"link {taken.link}" if taken else None
            then += ["--other", named or _array(link.trace.arrays["y"], {})]
        else:
            then += _options(setting_of(link.trace))
        words += ["--then", shlex.quote(shlex.join(then))]
    return " ".join(words)


def _options(setting: "Setting") -> list[str]:
    """Return kernel, bias and options of a setting, each as it is typed."""
    from stepconv.player.setting import as_typed
    from stepconv.trace import named_kernels

    one, given, words = OPERATIONS[setting.op], setting.arguments, list[str]()
    if "w" in given:
        known = {name: each.kernel for name, each in named_kernels().items()}
        words += ["--kernel", _array(given["w"], known)]
    if "bias" in given:
        words += ["--bias", _array(given["bias"], {})]
    for name in one.options:
        if name not in given or (name == "groups" and given["w"].ndim < 3):
            continue
        if name == "value":
            if given[name]:
                raise ArgumentError(f"value={given[name]} has no option: s saves it in a file")
            continue
        if given[name] is not False:
            words.append(f"--{name.replace('_', '-')}")
        if not isinstance(given[name], bool):
            words.append(as_typed(given[name]))
    return words


def _array(array: "NDArray[Any]", known: "dict[str, NDArray[Any]]") -> str:
    """Return an array by its name, or its numbers."""
    import numpy as np

    from stepconv.cli.reading import typed

    for name, one in known.items():
        if one.dtype == array.dtype and np.array_equal(one, array):
            return name
    if array.size > _MOST_CELLS or (array.ndim > 3 and array is not None and array.shape[0] == 0):
        raise ArgumentError(f"{array.size} numbers are too many for a line: s saves them in a file")
    return typed.spell(array if array.ndim else array.reshape(1))
