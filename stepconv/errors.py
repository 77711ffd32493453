"""The few ways in which stepconv says no; catch StepconvError to catch them all."""

from collections.abc import Iterable


class StepconvError(Exception):
    """The parent of every error that stepconv raises on purpose."""


class ArgumentError(StepconvError, ValueError):
    """An argument of the right type whose value cannot be used."""


class ArgumentTypeError(StepconvError, TypeError):
    """An argument of the wrong type."""


class IntegerRangeError(StepconvError, OverflowError):
    """An integer that int64 cannot hold."""


class StepconvWarning(UserWarning):
    """The parent of what stepconv says in passing: it goes on, but somebody may want to know."""


class IntegerOverflowWarning(StepconvWarning, RuntimeWarning):
    """Sums of integers may have left the range of int64 and wrapped, as NumPy's do."""


class BackendError(StepconvError, RuntimeError):
    """A backend that is not to be had here, or has no kernel for the operation."""


class TraceError(StepconvError):
    """A trace file that is damaged, not a trace, or contradicts itself."""


class DataError(StepconvError, ValueError):
    """A file or data set that is missing, damaged, or not what it should be."""


def closest(word: str, known: Iterable[str], otherwise: str, most: int = 1) -> str:
    """Return a hint at what was meant by a word, or something else where nothing is near.

    >>> closest("sobel", ["sobel-x", "sobel-y", "identity"], "", most=3)
    "did you mean 'sobel-x' or 'sobel-y'?"
    """
    import difflib

    names = list(known)
    longer = [name for name in names if word and name.startswith(word)]
    close = sorted(difflib.get_close_matches(word, names, n=most) or longer[:most])
    return f"did you mean {' or '.join(map(repr, close))}?" if close else otherwise
