"""Runs that stop and go on, and what can be told of them meanwhile."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

from jaxsearch.runners import events

SMALL = ["iris", "--budget", "12", "--folds", "2", "--epochs", "2", "--max-layers", "1", "--max-width", "8"]
FILES = ("trials.csv", "best.json", "model.npz", "report.html")


def content(directory):
    found = {name: (directory / name).read_bytes() for name in FILES}
    best = json.loads(found["best.json"])
    found["report.html"] = found["report.html"].split(b"Facts")[0]  # after which it says how the run ended
    return found | {"best.json": {name: value for name, value in best.items() if name != "stopped"}}


@pytest.fixture
def whole(jaxsearch, tmp_path, known={}):  # noqa: B006  # the same for all tests of a process
    if not known:
        assert jaxsearch("run", *SMALL, "--out", "whole")[0] == 0
        known.update(content(tmp_path / "whole"))
    return known


def send(number):
    """Sends the signal to this process while the first generation runs."""
    write = events.EventLog.write

    def once(self, event, **facts):
        if event == "generation" and facts["generation"] == 1:
            os.kill(os.getpid(), number)
        write(self, event, **facts)

    return once


def test_a_run_that_ran_out_of_time_goes_on_to_the_same_files(jaxsearch, tmp_path, whole):
    code, out, err = jaxsearch("run", *SMALL, "--time-limit", "1e-3", "--out", "r")
    assert (code, err) == (0, "")
    assert "the time limit is reached" in out
    assert len((tmp_path / "r" / "trials.csv").read_text().splitlines()) < 13
    assert "Wrote" in jaxsearch("run", "--resume", "r", "--time-limit", "1e6")[1]
    assert content(tmp_path / "r") == whole


@pytest.mark.parametrize(("number", "code", "reports"), [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_signals_end_a_run_which_goes_on_later(jaxsearch, tmp_path, monkeypatch, whole, number, code, reports):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    with monkeypatch.context() as patched:
        patched.setattr(events.EventLog, "write", send(number))
        found, out, _ = jaxsearch("run", *SMALL, "--out", "r")
    assert found == code
    assert f"Go on with: jaxsearch run --resume {tmp_path / 'r'}" in out
    assert (tmp_path / "r" / "best.json").exists() is reports
    assert ("Leaderboard" in out) is reports
    assert jaxsearch("status", "r")[1].splitlines()[0].endswith("ga on iris")
    assert jaxsearch("run", "--resume", "r")[0] == 0
    assert content(tmp_path / "r") == whole


def test_a_closed_terminal_does_not_end_a_run(tmp_path):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "jaxsearch.cli", "run", *SMALL, "--budget", "200", "--out", str(tmp_path / "r")]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    log = tmp_path / "r" / "events.jsonl"
    while not log.exists():  # the first generation has ended
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGHUP)  # as the system does
    os.close(master)
    assert process.wait() == 0
    assert (tmp_path / "r" / "best.json").exists()
    assert "Leaderboard" in (tmp_path / "r" / "output.txt").read_text()


def test_the_report_of_a_run_that_goes_on(jaxsearch, tmp_path):
    jaxsearch("run", *SMALL, "--time-limit", "1e-3", "--out", "r")
    (tmp_path / "r" / "best.json").unlink()
    page = (tmp_path / "r" / "report.html").read_text()
    code, out, _ = jaxsearch("report", "r")
    assert (code, out) == (0, "Wrote r/report.html\n")
    assert (tmp_path / "r" / "report.html").read_text() != page, "without the network, which is there at the end"
    for part in ("ga on iris", "learning_rate", "Convergence", "folds[1]"):
        assert part in page, part


def test_the_status_of_a_run(jaxsearch, tmp_path):
    jaxsearch("run", *SMALL, "--out", "r")
    code, out, _ = jaxsearch("status", "r")
    assert code == 0
    assert "finished" in out
    assert "12 of 12 candidates, best error 0." in out
    (tmp_path / "r" / "events.jsonl").unlink()
    (tmp_path / "r" / "best.json").unlink()
    out = jaxsearch("status", "r")[1]
    assert "stopped" in out
    assert "no generation has ended yet" in out
    assert "Go on with: jaxsearch run --resume r" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--resume", "none"], "A run has a file run.json; none has none that can be read"),
        (["report", "none"], "A run has a file run.json; none has none that can be read"),
        (["status", "none"], "A run has a file run.json; none has none that can be read"),
        (["run", "--resume", "r", "--out", "s"], "Leave them out."),
        (["run", "--resume", "r", "--epochs", "3"], "evaluator.epochs was 2 and is 3"),
        (["run", "--resume", "r", "--seed", "3"], "is of another search: key was"),
        (["run", *SMALL, "--out", "r"], "go on with --resume"),
    ],
)
def test_bad_input_gets_one_line(jaxsearch, tmp_path, arguments, message):
    if "r" in arguments:
        jaxsearch("run", *SMALL, "--time-limit", "1e-3", "--out", "r")
    code, _, err = jaxsearch(*arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    if "--resume" in arguments and "r" in arguments:
        assert jaxsearch("run", "--resume", "r", "--time-limit", "1e6")[0] == 0, "the mistake has changed nothing"
