"""The terminal of a run, which may be closed."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def outliving_terminal(directory: Path) -> Iterator[None]:
    """A terminal that is closed does not end what runs here: from then on its output goes into a file."""

    def redirect(number: int, frame: Any) -> None:
        file = os.open(directory / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file, stream.fileno())

    usual = getattr(signal, "SIGHUP", None) and signal.getsignal(signal.SIGHUP)
    if usual is not signal.SIG_DFL:  # another system, or nohup
        yield
        return
    signal.signal(signal.SIGHUP, redirect)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, usual)
