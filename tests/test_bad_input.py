"""Whatever is put in, it works or is refused by a ValueError that says what to do; never by anything else.

Set JAXSEARCH_FUZZ_EXAMPLES to thousands for the long mode.
"""

import contextlib
import dataclasses
import io
import os
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsearch as js
from jaxsearch.cli import main as command
from jaxsearch.runners import minimize as minimize_module
from jaxsearch.runners.sized import strategy_name
from jaxsearch.strategies import registry

EXAMPLES = int(os.environ.get("JAXSEARCH_FUZZ_EXAMPLES", "0"))


def fuzz(examples, share=1.0):
    """So many examples in the normal mode, and that share of all in the long one."""
    count = max(int(EXAMPLES * share), 1) if EXAMPLES else examples
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


ODD = [object(), len, int, dict, js.Float, np.zeros(2), np.array("a"), np.float64("nan"), np.int8(3), np.bool_(True)]
ODD += [jnp.zeros(3), np.array([None]), np.zeros((0,)), range(3), js.Float(0, 1), js.GA(), frozenset()]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([-(10**400), -(2**63), 2**31, 2**63, 10**400]),
    st.floats(),
    st.complex_numbers(max_magnitude=9),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
    st.tuples(st.integers(-1, 2) | st.text(max_size=1)),
    st.dictionaries(st.text(max_size=1) | st.integers(0, 1), st.integers(0, 1), max_size=2),
    st.sampled_from(ODD),
)


PLAIN = JUNK.filter(lambda value: not callable(value))  # what a function of the user's raises is no matter of ours
FUNCTIONS = {"objective", "record", "callback", "function", "evaluator"}


def accepted(call, *offending):
    """The value of a call, None if it refuses as promised; `offending`: the only value that can be to blame."""
    try:
        return call()
    except ValueError as error:
        message = " ".join(str(error).split())
        assert re.fullmatch(r"\S.*[.?] \S.*[.?)]", message), message
        for value in offending:
            shown = [" ".join(text.split())[:40] for text in (repr(value), str(value))]
            assert any(text in message for text in shown), f"{value!r} is not in: {message}"
        return None


# Spaces

REAL = st.floats(-9, 9) | st.integers(-9, 9)


@fuzz(100)
@given(st.data())
def test_dimensions(data):
    kind = data.draw(st.sampled_from([js.Float, js.Int]))
    number = REAL if kind is js.Float else st.integers(-9, 9)
    junk = data.draw(st.sampled_from(["low", "high", "log", "shape", ""]))
    arguments = {"low": number, "high": number, "log": st.booleans(), "shape": st.just(()) | st.just((2,))}
    drawn = {name: data.draw(JUNK if name == junk else values) for name, values in arguments.items()}
    space = accepted(lambda: kind(**drawn))
    if space is not None:
        x = jnp.full(js.domain(space).size, data.draw(st.floats(width=32)), jnp.result_type(float))
        params = accepted(lambda: js.decode(space, x))
        if params is not None:
            js.describe(space, params)
            plain = data.draw(JUNK)
            if accepted(lambda: js.undescribe(space, plain), plain) is not None:
                js.encode(space, js.undescribe(space, plain))


LEAVES = st.sampled_from([js.Float(0, 1), js.Int(0, 3, shape=(2,)), js.Choice("a", None)])


def spaces(leaves):
    names = st.sampled_from("abc")
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.dictionaries(names | st.integers(0, 1), inner, max_size=2),
            st.lists(inner, max_size=2),
            st.tuples(inner),
            st.dictionaries(names, inner, min_size=1, max_size=2).map(lambda branches: js.Switch(**branches)),
        ),
        max_leaves=4,
    )


@fuzz(60)
@given(st.data())
def test_nested_spaces(data):
    space = accepted(lambda: data.draw(spaces(LEAVES | LEAVES | LEAVES | JUNK)))
    domain = accepted(lambda: js.domain(space))
    if domain is None:
        return
    x = jnp.full(domain.size, 0.3)
    plain = js.describe(space, js.decode(space, x))
    js.active(space, js.encode(space, js.undescribe(space, plain)))
    accepted(lambda: js.undescribe(space, data.draw(JUNK)))
    wrong = data.draw(st.integers(0, 5))
    if wrong != domain.size:
        accepted(lambda: js.decode(space, jnp.zeros(wrong)), (wrong,))
    accepted(lambda: js.choose(space, data.draw(JUNK), population_size=data.draw(JUNK | st.none())))


@fuzz(60)
@given(st.data())
def test_json(data):
    text = data.draw(st.text(max_size=9) | st.just("[" * 99_999) | st.just("1" * 9999))
    space = accepted(lambda: data.draw(spaces(LEAVES | JUNK)))
    written = accepted(lambda: js.to_json(space))
    if written and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(written) - 1))
        other = data.draw(st.sampled_from(["", "1", "]", '"', "x", "null", "-9"]))
        text = written[:place] + other + written[place + 1 :]
    accepted(lambda: js.from_json(text))


# Strategies and runners

SPACE = {"x": js.Float(-1, 1, shape=(2,)), "n": js.Int(0, 3), "c": js.Choice(*"abc")}
OWN = {"optimizer": st.just(optax.sgd(0.1)), "strategy": st.just(js.GA()), "points": st.just(jnp.zeros((2, 4)))}
STATIC = {"population_size": 6, "max_batches": 2, "parents": 5, "memory": 60, "samples": 3, "memory_size": 3}


def bowl(key, params):
    return jnp.sum(params["x"] ** 2) + params["n"] + params["c"]


@pytest.fixture(scope="module")
def traced():
    """`minimize` that only traces: it compiles nothing."""
    compiled = minimize_module._minimize
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minimize_module, "_minimize", lambda *arguments: compiled.trace(*arguments).out_info)
        yield lambda *args, **arguments: js.minimize(*args, **{"key": jax.random.key(0)} | arguments)


@fuzz(30, 0.2)
@given(st.data())
def test_strategies(traced, data):
    kind = data.draw(st.sampled_from([*registry.values(), js.Restart, js.Seeded]))
    fields = {field.name: field for field in dataclasses.fields(kind)}
    junk = data.draw(st.sampled_from(sorted(fields)))
    drawn = {name: data.draw(values) for name, values in OWN.items() if name in fields}
    drawn |= {name: value for name, value in STATIC.items() if name in fields and data.draw(st.booleans())}
    drawn[junk] = data.draw(JUNK)
    strategy = accepted(lambda: kind(**drawn), drawn[junk])
    if strategy is not None:
        evaluator = js.Vectorized(bowl, gradients=True)
        accepted(lambda: traced(evaluator, SPACE, strategy, num_generations=2))


@fuzz(30, 0.2)
@given(st.data())
def test_minimize(traced, data):
    arguments = {
        "objective": bowl,
        "space": SPACE,
        "strategy": "random_search",
        "key": jax.random.key(0),
        "num_generations": 2,
        "target": 0.5,
        "record": lambda generation: generation.best,
    }
    junk = data.draw(st.sampled_from(sorted(arguments)))
    arguments[junk] = data.draw(PLAIN if junk in FUNCTIONS else JUNK)
    accepted(lambda: traced(**arguments))


@fuzz(30, 0.2)
@given(st.data())
def test_search(data):
    arguments = {
        "key": jax.random.key(0),
        "num_generations": 1,
        "max_evaluations": 4,
        "time_limit": 9.0,
        "target": 0.5,
        "patience": 2,
        "repeat": True,
        "callback": lambda generation: True,  # ends it, however many generations are allowed
        "progress": False,
    }
    junk = data.draw(st.sampled_from(sorted(arguments)))
    arguments[junk] = data.draw(PLAIN if junk in FUNCTIONS else JUNK)
    accepted(lambda: js.search(bowl, SPACE, js.RandomSearch(4), **arguments))


EXAMPLE = js.models.MLP(2, 2, max_layers=1, max_width=8)
DATA = (np.zeros((8, 2), np.float32), np.arange(8) % 2)
TRAINING = js.Training(EXAMPLE, DATA, folds=2, epochs=1)
EVALUATORS = {
    js.Vectorized: {"objective": bowl},
    js.Chunked: {"objective": bowl, "chunk_size": 3},
    js.Sharded: {"evaluator": bowl},
    js.Callback: {"function": lambda params: 0.0},
    js.Halving: {"evaluator": TRAINING},
    js.Continued: {"evaluator": TRAINING},
    js.Training: {"model": EXAMPLE, "data": DATA, "folds": 2, "epochs": 1},
}


@fuzz(60, 0.2)
@given(st.data())
def test_evaluators(traced, data):
    kind = data.draw(st.sampled_from(list(EVALUATORS)))
    trains = kind in (js.Halving, js.Continued, js.Training)
    names = [field.name for field in dataclasses.fields(kind) if field.name != "num_held_out"]
    junk = data.draw(st.sampled_from(names))
    value = data.draw(PLAIN if junk in FUNCTIONS else JUNK)
    evaluator = accepted(lambda: kind(**EVALUATORS[kind] | {junk: value}))
    if evaluator is not None:
        space = EXAMPLE.space() if trains else SPACE
        accepted(lambda: traced(evaluator, space, js.RandomSearch(4), num_generations=1))


# The command

OPTIONS = [parameter for parameter in command.run.params if parameter.opts[0].startswith("--")]
TYPED = st.one_of(
    st.sampled_from(["3", "-3", "0", "0.5", "nan", "inf", "1e999", "9" * 30, "mlp", "ga", "regression", "rmse", "é"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4),
)


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Runs the command up to the search, in a directory of its own; returns the directory and the function."""
    folder = tmp_path_factory.mktemp("command")

    def typed(*arguments):
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["jaxsearch", *arguments])
            for name in ("use_compilation_cache", "use_all_cores"):
                patch.setattr(command, name, lambda: None)
            patch.setattr(command, "run_search", lambda options, *_: strategy_name(options.strategy) and 0)
            with pytest.raises(SystemExit) as stop:
                command.main()
        if stop.value.code:
            assert stop.value.code == 2, err.getvalue()
            message = err.getvalue()
            assert re.fullmatch(r"Error: \S.*[.?] \S.*[.?)]\n", message), message
        return stop.value.code or 0

    return folder, typed


@fuzz(60)
@given(st.data())
def test_command_lines(typed, data):
    _, run = typed
    line = [data.draw(st.sampled_from(["run"] * 8 + ["list", "predict", "rnu", "--help", "--version", ""]))]
    for _ in range(data.draw(st.integers(0, 3))):
        option = data.draw(st.sampled_from(OPTIONS)).opts[0]
        line.append(data.draw(st.sampled_from([option, option, option, option[:-1], option + "x", "iris"])))
        if data.draw(st.sampled_from([True, True, True, False])):
            line.append(data.draw(TYPED))
    run(*line)


TOML = st.one_of(
    st.integers(-3, 3).map(str),
    st.sampled_from("true 1.5 nan -inf 1e999 0x10 2020-01-01 07:00:00 [] {} [1] ['a'] 'ga' 'a' ' 'regression'".split()),
    st.sampled_from(["9" * 30, "9" * 5000, "[" * 2000, '"\\u0000"', "{a = 1}"]),
    st.text(max_size=3).map(lambda text: f"'{text}'"),
    st.text(max_size=3),
)


@fuzz(60)
@given(st.data())
def test_configuration_files(typed, data):
    folder, run = typed
    lines = []
    for _ in range(data.draw(st.integers(0, 3))):
        name = data.draw(st.sampled_from(OPTIONS)).name
        name = data.draw(st.sampled_from([name, name, name, name[:-1], name + "x", "data", "", "[run]\nbudget"]))
        lines.append(f"{name} {data.draw(st.sampled_from(['=', '=', '=', '=', '']))} {data.draw(TOML)}")
    content = "\n".join(lines).encode("utf-8", "replace")
    (folder / "s.toml").write_bytes(content + data.draw(st.sampled_from([b"", b"", b"\xff", b"\r", b"\0"])))
    run("run", data.draw(st.sampled_from(["s.toml", "./s.toml", "none.toml"])))
    found = run("run", "s.toml")
    assert found == run("run", "s.toml", "--budget", "7") or found == 2, "what is typed can only mend"
