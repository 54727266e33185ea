"""Where the output of a run goes when the terminal is closed, or nobody takes it any more."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def outliving_terminal(directory: Path) -> Iterator[None]:
    """What runs here outlives its terminal, the reader of its pipe, and a full disk under its output.

    From then on the output goes into output.txt in the directory, where there is room for it.
    """
    outputs: list[Any] = [_Output(stream, directory / "output.txt") for stream in (sys.stdout, sys.stderr)]

    def redirect(number: int, frame: Any) -> None:
        for output in outputs:
            output.redirect()

    usual = getattr(signal, "SIGHUP", None) and signal.getsignal(signal.SIGHUP)
    closes = usual is signal.SIG_DFL  # not on another system, nor with nohup
    if closes:
        signal.signal(signal.SIGHUP, redirect)
    try:
        with contextlib.redirect_stdout(outputs[0]), contextlib.redirect_stderr(outputs[1]):
            yield
    finally:
        if closes:
            signal.signal(signal.SIGHUP, usual)


class _Output:
    """A stream that goes on in a file when it can no longer be written."""

    def __init__(self, stream: Any, path: Path):
        self._stream, self._path = stream, path

    def write(self, text: str) -> int:
        self._attempt(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def redirect(self) -> None:
        """Goes on in the file with what is to come and what has not been written yet, in nothing if that fails."""
        for path in (self._path, os.devnull):
            with contextlib.suppress(OSError):
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                os.dup2(file, self._stream.fileno())
                os.close(file)
                with contextlib.suppress(RuntimeError):  # the signal came in the middle of a write
                    self._stream.flush()
                return

    def _attempt(self, act: Callable, *arguments: Any) -> None:
        try:
            act(*arguments)
        except OSError:
            self.redirect()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
