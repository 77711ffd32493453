"""A gradient written by hand, held against differences: for whoever tests a layer of one's own."""

from stepconv.ops.differences import gradient_error

__all__ = ["gradient_error"]
