"""What the tests beside PyTorch share."""

from collections.abc import Iterator

import numba
import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run thousands of tiny calls on one thread: on a busy machine two wait for each other."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(threads)
