import os
import sys

import pytest

from jaxsearch.cli import main as command


@pytest.fixture
def jaxsearch(monkeypatch, capsys, tmp_path):
    """Runs the command in a new directory; returns its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLA_FLAGS", os.environ.get("XLA_FLAGS", ""))  # the command adds to it
    monkeypatch.setattr(command, "use_compilation_cache", lambda: None)  # it would configure the whole test process

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["jaxsearch", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            command.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run
