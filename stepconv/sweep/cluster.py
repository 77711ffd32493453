"""Trainings on dask.distributed: workers on this machine, or a cluster that is there already.

A worker that dies is replaced by Dask, and its training goes on from its last checkpoint.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.kernels.environment import cores
from stepconv.sweep.experiment import Training
from stepconv.sweep.trial import Outcome, Place, attempt
from stepconv.train import data
from stepconv.train.data.own import paths_of
from stepconv.train.data.sets import is_own

LOCAL = "dask"
# How long a scheduler may take to answer.
_PATIENCE = "10s"


def run(
    trainings: Sequence[Training], place: Place, workers: int | None, address: str
) -> Iterator[Outcome]:
    """Yield each training's outcome as it ends; `address` is that of a scheduler, or "dask"."""
    try:
        from distributed import as_completed
    except ImportError:
        raise ArgumentError(f"--on {address} needs Dask: pip install 'stepconv[sweep]'") from None
    with _client(address, workers) as client:
        _check_shared(client, place.results)
        threads = max(1, cores() // max(1, len(client.scheduler_info()["workers"])))
        here = replace(place, threads=threads if address == LOCAL else 1)
        shipped = _shipped(client, trainings, place)
        futures = {
            client.submit(
                attempt, each, here, shipped.get(each.recipe.data), key=each.name, pure=False
            ): each.name
            for each in trainings
        }
        for future in as_completed(futures):
            if future.status == "finished":
                yield future.result()
            else:
                told = f"{type(future.exception()).__name__}: {future.exception()}"
                yield Outcome(futures[future], "failed", told=told)


@contextmanager
def _client(address: str, workers: int | None) -> Iterator[Any]:
    """Connect to a scheduler, or start workers of our own for the time of the block."""
    from distributed import Client, LocalCluster

    if address == LOCAL:
        count = workers or cores()
        threads = str(max(1, cores() // count))
        # Set before a worker imports anything.
        environment = {"STEPCONV_THREADS": threads, "NUMBA_NUM_THREADS": threads}
        with (
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=None,
                env=environment,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        connected = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"--on {address}: no scheduler answers there: {error}") from None
    with connected as client:
        if not client.scheduler_info()["workers"]:
            raise ArgumentError(f"--on {address}: the cluster has no workers")
        yield client


def _check_shared(client: Any, results: Path) -> None:
    """Refuse workers that do not see the folder of the results: run folders are the record."""
    seen = client.run(_is_folder, str(results))
    blind = [worker for worker, sees in seen.items() if not sees]
    if blind:
        raise ArgumentError(
            f"the worker at {blind[0]} does not see {results}: a folder that all share fits"
        )


def _shipped(client: Any, trainings: Sequence[Training], place: Place) -> dict[str, Any]:
    """Return the data of one's own that some worker cannot find, sent once to each of them."""
    shipped = {}
    for name in {each.recipe.data for each in trainings if is_own(each.recipe.data)}:
        if not all(client.run(_finds, name).values()):
            found = data.load(name, data_dir=place.data_dir)
            shipped[name] = client.scatter(found, broadcast=True)
    return shipped


def _is_folder(path: str) -> bool:
    return Path(path).is_dir()


def _finds(name: str) -> bool:
    return bool(paths_of(name))
