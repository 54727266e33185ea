"""Signals that end a search after the generation that is running."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import jax


class Interruption:
    """Which signal has asked the search to end: "interrupt" (Ctrl-C), "terminate", or None; and whether at once."""

    def __init__(self):
        self.asked: str | None = None
        self.at_once = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handles Ctrl-C: once to end after the generation, twice to end at once."""
        if self.asked:
            self.at_once = True
            raise KeyboardInterrupt
        self.asked = "interrupt"
        # Not worth an error: nobody may read it any more, or the signal came in the middle of another print.
        with contextlib.suppress(OSError, RuntimeError):
            print("Ending after this generation; press Ctrl-C again to end at once.", file=sys.stderr, flush=True)

    def terminate(self, number: int, frame: FrameType | None) -> None:
        """Handles SIGTERM."""
        self.asked = "terminate"


@contextlib.contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Ctrl-C in a function of `Callback` is a KeyboardInterrupt, not the error that JAX makes of it."""
    pressed = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    with _handlers({signal.SIGINT: (signal.default_int_handler, interrupt)}):
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            if pressed:
                raise KeyboardInterrupt from error
            raise


@contextlib.contextmanager
def interruptible(terminates: bool) -> Iterator[Interruption]:
    """Ctrl-C asks first, and SIGTERM asks if the search `terminates` in good order. A handler of the user's stays."""
    interruption = Interruption()
    wanted: dict[int, tuple[Any, Any]] = {signal.SIGINT: (signal.default_int_handler, interruption.interrupt)}
    if terminates:
        wanted[signal.SIGTERM] = (signal.SIG_DFL, interruption.terminate)
    with _handlers(wanted):
        yield interruption


@contextlib.contextmanager
def _handlers(wanted: dict[int, tuple[Any, Any]]) -> Iterator[None]:
    """By the number of a signal the handler to replace, and with what."""
    here = threading.current_thread() is threading.main_thread()  # elsewhere Python allows no handlers
    taken = {number: usual for number, (usual, _) in wanted.items() if here and signal.getsignal(number) is usual}
    for number in taken:
        signal.signal(number, wanted[number][1])
    try:
        yield
    finally:
        for number, usual in taken.items():
            signal.signal(number, usual)
