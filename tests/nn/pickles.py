"""Files of weights as PyTorch writes them, of its newer and its older kind, without PyTorch."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from stepconv.nn.published import pickled


class Written(pickle.Pickler):
    """Writes tensors as PyTorch does."""

    def persistent_id(self, obj: Any) -> Any:
        return obj.told if isinstance(obj, Stored) else None


class Stored:
    """A storage, as a pickle names it."""

    def __init__(self, key: str, count: int, kind: Any) -> None:
        self.told = ("storage", kind, key, "cpu", count)


class Part:
    """A tensor, as a pickle makes it."""

    def __init__(self, *told: Any) -> None:
        self.told = told

    def __reduce__(self) -> Any:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.told


@contextmanager
def torch_names() -> Iterator[Any]:
    """Let the names that PyTorch's pickles call be there; the type of storages is given."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    storage = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage = storage  # type: ignore[attr-defined]

    def _rebuild_tensor_v2(*told: Any) -> None: ...

    name = "_rebuild_tensor_v2"
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", name
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    with patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        yield storage


def packed(told: Any) -> bytes:
    """Return a pickle."""
    out = io.BytesIO()
    Written(out, protocol=2).dump(told)
    return out.getvalue()


def as_zip(path: Path, told: Any, storages: dict[str, bytes]) -> Path:
    """Write the newer kind: a zip with a pickle, and a file for each storage."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", packed(told))
        for key, content in storages.items():
            file.writestr(f"archive/data/{key}", content)
    return path


def as_stream(path: Path, told: Any, storages: dict[str, bytes]) -> Path:
    """Write the older kind: pickles behind each other, then each storage behind its length."""
    parts = [packed(each) for each in (pickled._MAGIC, 1001, {"little_endian": True}, told)]
    parts.append(packed(list(storages)))
    parts += [struct.pack("<q", len(content) // 4) + content for content in storages.values()]
    path.write_bytes(b"".join(parts))
    return path
