"""The two data sets that everybody knows: where they lie, and where to get them.

The files of `mnist` lie in a folder of that name, in the first of these that holds them all: the
folder given with --data-dir, $STEPCONV_DATA, the user's cache folder. If none does, they are
downloaded into the last. What is inside is checked against a SHA-256 of the unpacked bytes, so it
does not matter who packed them.
"""

import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import files
from stepconv.errors import DataError
from stepconv.train.data import idx

FILES = {
    "train-images-idx3-ubyte.gz": "training pictures",
    "train-labels-idx1-ubyte.gz": "training labels",
    "t10k-images-idx3-ubyte.gz": "test pictures",
    "t10k-labels-idx1-ubyte.gz": "test labels",
}
# Of the unpacked bytes, in the order of FILES.
HASHES = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion-mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
    "fashion-mnist": (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
}
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}
# The largest of the files has 26 MB: a server that goes on beyond this sends something else.
MOST_DOWNLOADED = 40_000_000
CHUNK = 2**16
SECONDS_TO_WAIT = 10.0
# A file that has not come by then does not come; nor does one that comes more slowly than this, in
# bytes a second.
SECONDS_IN_ALL = 300.0
SLOWEST = 8192
SECONDS_OF_GRACE = 30.0

# Told while a file comes in: its name, bytes so far, bytes in all (0 where the server is silent).
Progress = Callable[[str, int, int], None]


def folders(data_dir: Path | None = None) -> list[Path]:
    """Return the folders in which the data sets are looked for, in that order."""
    named = [data_dir, os.environ.get("STEPCONV_DATA"), cache_folder()]
    return [Path(folder).expanduser().absolute() for folder in named if folder]


def cache_folder() -> Path:
    """Return the user's cache folder, where downloads go."""
    import platformdirs

    return platformdirs.user_cache_path("stepconv", appauthor=False)


def find(name: str, data_dir: Path | None = None) -> Path | None:
    """Return the first folder that holds all files of the data set."""
    for folder in folders(data_dir):
        if all((folder / name / file).is_file() for file in FILES):
            return folder / name
    return None


def load(
    name: str, data_dir: Path | None = None, progress: Progress | None = None
) -> list[NDArray[np.uint8]]:
    """Return training pictures and labels, test pictures and labels; download what is missing."""
    from concurrent.futures import ThreadPoolExecutor

    folder = find(name, data_dir) or download(name, cache_folder() / name, progress)
    paths = [folder / file for file in FILES]
    # Unpacking and hashing both run without Python's lock.
    with ThreadPoolExecutor() as pool:
        try:
            return list(pool.map(idx.read, paths, HASHES[name]))
        except DataError as error:
            raise DataError(f"{error}; delete it, and a good one is downloaded") from None


def download(name: str, folder: Path, progress: Progress | None = None) -> Path:
    """Bring the files of a data set into `folder`, each under its name only when it is right."""
    for file, sha256 in zip(FILES, HASHES[name], strict=True):
        if not (folder / file).is_file():
            content = _from_mirrors(name, file, sha256, folder, progress or _silent)
            folder.mkdir(parents=True, exist_ok=True)
            files.write(folder / file, content)
    return folder


def _from_mirrors(name: str, file: str, sha256: str, folder: Path, progress: Progress) -> bytes:
    import http.client

    troubles = []
    for mirror in MIRRORS[name]:
        try:
            content = _fetch(mirror + file, progress)
            idx.parse(content, file, sha256)
            return content
        except (OSError, ValueError, http.client.HTTPException) as error:
            troubles.append(f"{mirror} ({_reason(error)})")
    raise DataError(
        f"{name} is not on this machine and cannot be downloaded: put {', '.join(FILES)} "
        f"into {folder}, or name the folder that holds {name}/ with --data-dir or STEPCONV_DATA; "
        f"--data digits needs no download. Tried {'; '.join(troubles)}"
    )


def _fetch(address: str, progress: Progress) -> bytes:
    """Return what lies at an address; a mirror that drips is given up, however it does it."""
    answers: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
    given_up, content = threading.Event(), bytearray()

    def fetch() -> None:
        try:
            _fill(content, address, progress, given_up)
            answers.put(bytes(content))
        except BaseException as error:  # raised again by who waits
            answers.put(error)

    threading.Thread(target=fetch, daemon=True).start()
    begun = monotonic()
    try:
        while (seconds := monotonic() - begun) < SECONDS_IN_ALL:
            if len(content) < SLOWEST * (seconds - SECONDS_OF_GRACE):
                break
            with suppress(queue.Empty):
                answer = answers.get(timeout=0.5)
                if isinstance(answer, BaseException):
                    raise answer
                return answer
    finally:
        given_up.set()
    raise DataError(f"{len(content):,} bytes in {seconds:.0f} s")


def _fill(content: bytearray, address: str, progress: Progress, given_up: threading.Event) -> None:
    import urllib.request

    # "identity": a server that packs the packed file once more would change its bytes.
    request = urllib.request.Request(address, headers={"Accept-Encoding": "identity"})
    with urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        while not given_up.is_set() and (chunk := answer.read(CHUNK)):
            content += chunk
            if len(content) > MOST_DOWNLOADED:
                raise DataError(f"more than {MOST_DOWNLOADED:,} bytes")
            if not given_up.is_set():
                progress(address.rpartition("/")[2], len(content), total)


def _reason(error: Any) -> str:
    reason = getattr(error, "reason", None)
    return f"HTTP {error.code}" if hasattr(error, "code") else str(reason or error or "no answer")


def _silent(file: str, done: int, total: int) -> None:
    pass
