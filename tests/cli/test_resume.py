"""Runs that stop and go on, and what can be told of them meanwhile."""

import dataclasses
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jaxsearch.cli import directory, report
from jaxsearch.cli.directory import Run, begin, begun, resumed
from jaxsearch.cli.options import Options
from jaxsearch.cli.terminal import outliving_terminal
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.runners import events
from jaxsearch.spaces.dimensions import Float

SMALL = ["iris", "--budget", "12", "--folds", "2", "--epochs", "2", "--max-layers", "1", "--max-width", "8"]
FILES = ("trials.csv", "best.json", "model.npz", "evaluation.json", "report.html")


def content(directory):
    found = {name: (directory / name).read_bytes() for name in FILES}
    best = json.loads(found["best.json"])
    page = found["report.html"].split(b'id="trials"')[0]  # after which it says how long each took and how it ended
    found["report.html"] = re.sub(rb"<pre.*?</pre>", b"", page)  # commands name the directory and its time limit
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
    # Far more than it will evaluate: however slow this process is, the run has not ended when the terminal closes.
    endless = ["--budget", "1000000", "--out", str(tmp_path / "r")]
    command = [sys.executable, "-m", "jaxsearch.cli", "run", *SMALL, *endless]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    log = tmp_path / "r" / "events.jsonl"

    def wait_for_events(count):
        while not log.exists() or log.read_text().count("\n") < count:
            assert process.poll() is None
            time.sleep(0.05)

    wait_for_events(1)  # the first generation has ended
    process.send_signal(signal.SIGHUP)  # as the system does
    os.close(master)
    wait_for_events(log.read_text().count("\n") + 2)  # one may have been under way
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert (tmp_path / "r" / "best.json").exists()
    assert "Leaderboard" in (tmp_path / "r" / "output.txt").read_text()


@pytest.mark.parametrize("place", ["a pipe", "/dev/full"])
def test_output_that_nobody_takes_goes_into_a_file(tmp_path, monkeypatch, place):
    reader, pipe = os.pipe()
    os.close(reader)  # as `tee` does, which Ctrl-C ends, too
    with os.fdopen(pipe, "w") if place == "a pipe" else open(place, "w") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        with outliving_terminal(tmp_path):
            print("one", flush=True)
            print("two")
        print("three", flush=True)
        (tmp_path / "output.txt").rename(tmp_path / "kept.txt")
        (tmp_path / "output.txt").symlink_to("/dev/full")
        os.dup2(os.open("/dev/full", os.O_WRONLY), stream.fileno())
        with outliving_terminal(tmp_path):
            print("no room for this", flush=True)
    assert (tmp_path / "kept.txt").read_text() == "one\ntwo\nthree\n"


def test_the_report_of_a_run_that_goes_on(jaxsearch, tmp_path):
    jaxsearch("run", *SMALL, "--time-limit", "1e-3", "--out", "r")
    (tmp_path / "r" / "best.json").unlink()
    page = (tmp_path / "r" / "report.html").read_text()
    code, out, _ = jaxsearch("report", "r")
    assert (code, out) == (0, "Wrote r/report.html\n")
    assert (tmp_path / "r" / "report.html").read_text() != page, "without the network, which is there at the end"
    text = re.sub("</?span>", "", page)  # which keep an option of a command in one line
    for part in ("<h1>iris</h1>", "learning_rate", "Convergence", "folds[1]", f"run --resume {tmp_path / 'r'}<"):
        assert part in text, part


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("a bug")])
def test_a_page_that_cannot_be_drawn_does_not_spoil_the_run(jaxsearch, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(report, "page", fail)
    code, out, err = jaxsearch("run", *SMALL, "--time-limit", "1e-3", "--out", "r")
    assert code == 0
    assert "trials.csv, best.json, model.npz and evaluation.json" in out
    assert f"The report could not be written: {error}" in err
    assert (tmp_path / "r" / "best.json").exists()


def test_what_columns_are_is_kept_for_resume(tmp_path):
    options = dataclasses.replace(RUN.options, categorical=("a", "b c"), number=("d",), rare_classes="drop")
    begin(tmp_path, RUN._replace(options=options))
    kept = begun(tmp_path).options
    assert (kept.categorical, kept.number, kept.rare_classes) == (("a", "b c"), ("d",), "drop")


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


RUN = Run(
    Options("iris", None, None, (), None, "mlp", "ga", 12, None, None, None, 2, 2, None, None, 0.2, 0, None),
    metrics["error"],
    {"x": Float(0, 1)},
    "a reason",
)


def changed(*path, to):
    """Changes a value in run.json."""
    facts = json.loads(Path("a b/run.json").read_text())
    place = facts
    for name in path[:-1]:
        place = place[name]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    Path("a b/run.json").write_text(json.dumps(facts))


BY_HAND = {
    "no JSON": (lambda: Path("a b/run.json").write_text("{"), "run.json is not as this version writes it: Expecting"),
    "a list": (lambda: Path("a b/run.json").write_text("[]"), "is not as this version writes it: TypeError"),
    "deep": (lambda: Path("a b/run.json").write_text("[" * 100_000), "run.json is not as this version writes it"),
    "a text for a number": (lambda: changed("options", "budget", to="64"), "budget must be of type int; got '64'"),
    "another type": (lambda: changed("options", "data", to=["iris"]), "data must be of type str; got ['iris']"),
    "a number too large": (lambda: changed("options", "budget", to=2**40), "--budget must be below 2**31"),
    "a text for texts": (lambda: changed("options", "drop", to=[3]), "drop must be of type tuple; got (3,)"),
    "unknown option": (lambda: changed("options", "colour", to="red"), "unexpected keyword argument 'colour'"),
    "no option": (lambda: changed("options", "seed", to=None), "argument: 'seed'"),
    "unknown metric": (lambda: changed("metric", to="eror"), "KeyError('eror')"),
    "another space": (lambda: changed("space", to="{}"), "The text must come from to_json"),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_a_run_that_was_edited_by_hand(jaxsearch, tmp_path, change):
    begin(tmp_path / "a b", RUN)
    assert begun(tmp_path / "a b")._replace(options=RUN.options) == RUN
    BY_HAND[change][0]()
    for command in (["run", "--resume"], ["status"], ["report"]):
        code, _, err = jaxsearch(*command, "a b")
        assert (code, err.count("\n")) == (2, 1)
        assert BY_HAND[change][1] in err


def test_other_files_that_no_run_writes(jaxsearch, tmp_path):
    begin(tmp_path / "a b", RUN)
    for text in ("3", '{"event": "generation"}', '{"event": "generation", "time": "now"}'):
        (tmp_path / "a b" / "events.jsonl").write_text(text)
        code, _, err = jaxsearch("status", "a b")
        assert code == 2
        assert "events.jsonl has lines that no run writes" in err
    for text in ("{}", "[", '{"architecture": 1, "score": "good"}'):
        (tmp_path / "a b" / "best.json").write_text(text)
        code, _, err = jaxsearch("report", "a b")
        assert code == 2
        assert "best.json is not as a run writes it" in err


def test_the_status_of_a_run_that_went_on(jaxsearch, tmp_path, monkeypatch):
    begin(tmp_path / "a b", RUN)
    (tmp_path / "a b" / "best.json").touch()
    log = tmp_path / "a b" / "events.jsonl"

    def status(*lines):
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return jaxsearch("status", "a b")[1]

    def generation(number, time):
        found = {"generation": number, "evaluations": 2 * number, "failed": 0, "best_loss": 0.5}
        return {"event": "generation", "time": time} | found

    end = {"event": "end", "stopped": "interrupt", "seconds": 1.0}
    assert "stopped" in status(generation(1, 1000.0), end)
    assert "Go on with: jaxsearch run --resume 'a b'" in status(generation(1, 1000.0), end)
    assert "finished" in status(generation(1, 1000.0), end | {"stopped": "time"})
    parts = [generation(1, 10.0), generation(2, 11.0), end | {"stopped": "time"}, generation(3, 5e5)]
    assert "stopped" in status(*parts), "killed when it went on"
    monkeypatch.setattr(directory, "is_locked", lambda path: True)
    assert "2 candidates a second, about 2 s left" in status(*parts, generation(4, 5e5 + 1))


def test_data_and_reason_are_those_of_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("iris").mkdir()  # not the data
    begin(tmp_path / "r", RUN)
    assert begun(tmp_path / "r").options.data == "iris"
    assert begun(tmp_path / "r").reason == "a reason"


def test_options_of_a_run_that_goes_on(tmp_path):
    """Those that would make another search of it are refused in the words of the command line."""
    begin(tmp_path / "r", RUN)
    same = {"folds": 2, "metric": "Error_Rate", "strategy": "GA", "drop": (), "time_limit": 9.0, "budget": 15}
    found = resumed(tmp_path / "r", same | {"strategy": "auto"})
    assert (found.budget, found.time_limit, found.metric, found.strategy) == (15, 9.0, None, "ga")
    assert resumed(tmp_path / "r", same) == found
    for typed, text in (
        ({"folds": 3}, "got --folds 3 instead of --folds 2. Leave that out, or begin a new run."),
        ({"drop": ("a b", "c")}, "got --drop 'a b' --drop c instead of no --drop."),
        ({"max_layers": 1, "metric": "auc"}, "--max-layers 1 instead of no --max-layers, --metric auc instead of no"),
        ({"strategy": "pso"}, "got --strategy pso instead of --strategy ga."),
    ):
        with pytest.raises(ValueError, match=re.escape(text)):
            resumed(tmp_path / "r", typed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--resume", "none"], "A run has a file run.json; none has none that can be read"),
        (["report", "none"], "A run has a file run.json; none has none that can be read"),
        (["status", "none"], "A run has a file run.json; none has none that can be read"),
        (["run", "--resume", "r", "--out", "s"], "Leave them out."),
        (
            ["run", "--resume", "r", "--epochs", "3", "--seed", "1"],
            "got --epochs 3 instead of --epochs 2, --seed 1 instead",
        ),
        (["run", "--resume", "r", "--budget", "400"], "--budget 400 instead of --budget 12 makes generations of"),
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
