"""Arrays in files that are whole or not there, and a lock between processes."""

import contextlib
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import HostArray

FORMAT = 1  # of the files; one that older code must not read gets a higher number


def write(path: Path, about: dict[str, Any], arrays: list[np.ndarray]) -> None:
    """An NPZ file of a JSON object and arrays, which replaces another of its name only when it is on the disk."""
    buffer = io.BytesIO()
    # NumPy's format forgets or garbles types that are not NumPy's own, such as bfloat16 and float8: they go as bytes.
    types = {str(number): array.dtype.name for number, array in enumerate(arrays) if array.dtype.isbuiltin == 2}
    text = np.frombuffer(json.dumps({"format": FORMAT, "types": types} | about).encode(), np.uint8)
    named: dict[str, Any] = {
        f"array_{number}": array.view(f"u{array.dtype.itemsize}") if str(number) in types else array
        for number, array in enumerate(arrays)
    }
    np.savez(buffer, about=text, **named)
    replace(path, buffer.getvalue())


def replace(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, also after a crash, finds the whole of it or what was there before."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name has to reach the disk, too; some file systems cannot be asked to
        with contextlib.suppress(OSError):
            folder = os.open(path.parent, os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def read(path: Path, *names: str) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What `write` wrote: an object with these names, and at least one array. Nothing in the file is executed.

    Raises ValueError for any other content.
    """
    content = path.read_bytes()
    if not content.startswith(b"PK"):  # for which NumPy would recommend pickle
        raise damaged(path, "it is no NPZ file")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            arrays = [file[f"array_{number}"] for number in range(len(file.files) - 1)]
            for number, name in (about.get("types", {}) if isinstance(about, dict) else {}).items():
                arrays[int(number)] = arrays[int(number)].view(jnp.dtype(name))
    except Exception as error:  # whatever zipfile, json and NumPy raise for bytes that nobody wrote
        raise damaged(path, str(error).rstrip(".") or type(error).__name__) from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else about
        raise ValueError(
            f"This version of jaxsearch reads files of format {FORMAT}; {path} has format {found!r}. Use the version "
            "that wrote it."
        )
    if not arrays or not all(name in about for name in names):
        raise damaged(path, "it lacks a part")
    return about, arrays


def damaged(path: Path, what: str) -> ValueError:
    """The error for a file that is not as it was written."""
    return ValueError(
        f"{path} is damaged: {what}. Restore it, or delete it and all newer files to go on from the state before."
    )


def on_host(leaf: Any) -> np.ndarray:
    """An array of the state of a search, whole, as NumPy has it; of a key its data."""
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
        from jax.experimental.multihost_utils import process_allgather

        return np.asarray(process_allgather(leaf, tiled=True))
    return np.asarray(jax.device_get(leaf))


def placed(array: np.ndarray, like: Any, path: Path) -> HostArray:
    """The array of type, shape and place of `like`, from what `on_host` made of it and `path` holds."""
    is_key = jnp.issubdtype(like.dtype, jax.dtypes.prng_key)
    data = jax.random.key_data(like) if is_key else like
    if array.shape != data.shape or array.dtype != data.dtype:
        raise damaged(path, f"it has {array.dtype}{list(array.shape)} in place of {data.dtype}{list(data.shape)}")
    value: Any = array
    if is_key:
        value = jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    elif data.weak_type and not data.shape:
        value = array.item()  # what began as a Python number; an array would promote what meets it
    # Where JAX chose the device it must stay free to, or the array could not meet those on other devices.
    return jax.device_put(value, like.sharding) if getattr(like, "committed", False) else jnp.asarray(value)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file, which the system lets go when the process ends, however it ends.

    Raises ValueError if another process holds it.
    """
    with path.open("a+") as file:
        if not any(_lock(file, patience) for patience in (0.0, 0.05, 0.2)):  # is_locked looks for a moment
            file.seek(0)
            raise ValueError(
                f"{path.parent} is in use by process {file.read().strip() or '?'}. Wait until it has ended, or use "
                "another directory."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file."""
    if not path.exists():
        return False
    with path.open("r") as file:
        return not _lock(file)


def _lock(file: IO[str], patience: float = 0.0) -> bool:
    """Whether the lock could be had after so many seconds; it is let go when the file is closed."""
    time.sleep(patience)
    try:
        import fcntl
    except ImportError:  # Windows: no other lock goes away with a killed process
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks, as some of clusters are
        return True
    return True
