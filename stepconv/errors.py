"""The few ways in which stepconv says no; catch StepconvError to catch them all."""


class StepconvError(Exception):
    """The parent of every error that stepconv raises on purpose."""


class ArgumentError(StepconvError, ValueError):
    """An argument of the right type whose value cannot be used."""


class ArgumentTypeError(StepconvError, TypeError):
    """An argument of the wrong type."""


class IntegerRangeError(StepconvError, OverflowError):
    """An integer that int64 cannot hold."""


class IntegerOverflowWarning(RuntimeWarning):
    """Sums of integers may have left the range of int64 and wrapped, as NumPy's do."""


class BackendError(StepconvError, RuntimeError):
    """A backend that is not to be had here, or has no kernel for the operation."""


class TraceError(StepconvError):
    """A trace file that is damaged, not a trace, or contradicts itself."""


class DataError(StepconvError, ValueError):
    """A file or data set that is missing, damaged, or not what it should be."""
