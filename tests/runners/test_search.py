import io
import signal
import sys
import threading
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.runners import bar
from jaxsearch.runners import search as search_module
from jaxsearch.runners.interruption import Interruption
from jaxsearch.runners.limits import Limits
from jaxsearch.strategies import registry

SPACE = {"x": js.Float(-5.0, 5.0, shape=(2,)), "c": js.Choice("a", "b", "c")}


def bowl(key, params):
    return jnp.sum((params["x"] - 1) ** 2) + params["c"] + 0.01 * jax.random.uniform(key)


def run(strategy=None, evaluator=bowl, **limits):
    return js.search(
        evaluator, SPACE, strategy or js.PSO(population_size=10), key=jax.random.key(0), progress=False, **limits
    )


@pytest.mark.parametrize("name", registry)
def test_the_numbers_are_those_of_minimize(name):
    # Ten rows: XLA compiles an objective of a single row as scalar code, whose last bit depends on the program around.
    evaluator, strategy = js.Vectorized(bowl, gradients=True), registry[name](population_size=10)
    host = run(strategy, evaluator, num_generations=25)
    compiled = js.minimize(evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=25)
    np.testing.assert_array_equal(host.history, compiled.history)
    jax.tree.map(np.testing.assert_array_equal, (host.params, host.state), (compiled.params, compiled.state))
    assert int(host.num_evaluations) == int(compiled.num_evaluations)
    assert host.stopped == "generations"


@pytest.mark.parametrize("name", ["local_search", "gradient_search"])
def test_a_population_of_one_follows_minimize_up_to_rounding(name):
    evaluator, strategy = js.Vectorized(bowl, gradients=True), registry[name]()
    host = run(strategy, evaluator, num_generations=25)
    compiled = js.minimize(evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=25)
    np.testing.assert_allclose(host.history, compiled.history, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), host.params, compiled.params)


def test_target():
    host = run(num_generations=500, target=0.2)
    compiled = js.minimize(
        bowl, SPACE, js.PSO(population_size=10), key=jax.random.key(0), num_generations=500, target=0.2
    )
    assert host.stopped == "target"
    assert int(host.num_generations) == int(compiled.num_generations)
    assert host.history.shape == (int(host.num_generations),)


def test_a_loss_equal_to_the_target_meets_it():
    def constant(key, params):
        return jnp.asarray(0.1, jnp.result_type(float)) + 0 * params["c"]

    assert run(evaluator=constant, num_generations=9, target=0.1).stopped == "target"


def test_evaluations_patience_time_and_callback():
    assert int(run(max_evaluations=57).num_evaluations) == 50
    assert run(max_evaluations=57).stopped == "evaluations"
    flat = run(evaluator=lambda key, params: 1.0 + 0 * params["c"], patience=4)
    assert (flat.stopped, int(flat.num_generations)) == ("patience", 5)
    # Where losses are adjusted, see Results, a better candidate may have a higher loss.
    limits = Limits(None, None, None, None, patience=2)
    assert limits.reached([0.5, 0.4, 0.45, 0.45], 0.0) is None
    assert limits.reached([0.5, 0.45, 0.45, 0.45], 0.0) == "patience"
    assert run(time_limit=0.2).stopped == "time"
    seen = []

    def callback(generation):
        seen.append(float(generation.best.loss))
        return len(seen) == 3

    result = run(num_generations=50, callback=callback)
    assert result.stopped == "callback"
    np.testing.assert_allclose(seen, result.history)


def test_an_interrupt_keeps_the_result_so_far():
    def callback(generation):
        if int(generation.state.improved) >= 0 and callback.count == 4:
            raise KeyboardInterrupt
        callback.count += 1

    callback.count = 0
    result = run(num_generations=50, callback=callback)
    assert result.stopped == "interrupt"
    assert int(result.num_generations) == 5


def test_failures_are_counted():
    result = run(js.RandomSearch(30), lambda key, p: jnp.where(p["c"] == 0, jnp.nan, 1.0), num_generations=4)
    assert 15 < int(result.num_failed) < 70


def test_the_bar_is_silent_without_a_terminal(capsys):
    js.search(bowl, SPACE, js.GA(population_size=4), key=jax.random.key(0), num_generations=2, progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_process_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with bar.bar(True, 3, 4, 0) as show:
        show(None)


def test_the_bar_on_a_terminal_whose_clock_stands_still(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(bar, "time", types.SimpleNamespace(monotonic=lambda: 5.0))
    best = types.SimpleNamespace(loss=0.25)
    with bar.bar(True, 3, 4, 0) as show:
        show(types.SimpleNamespace(generation=2, num_failed=1, best=best))
    assert "8 evaluations" in sys.stderr.getvalue()
    assert "best 0.25" in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stderr", Terminal())
    with bar.bar(lambda loss: f"auc {1 - loss}", 3, 4, 0) as show:
        show(types.SimpleNamespace(generation=2, num_failed=1, best=best))
    assert "best auc 0.75" in sys.stderr.getvalue()


def test_ctrl_c_while_nobody_reads(monkeypatch):
    def broken(text):
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=broken, flush=lambda: None))
    interruption = Interruption()
    interruption.interrupt(signal.SIGINT, None)
    assert interruption.asked == "interrupt"
    with pytest.raises(KeyboardInterrupt):
        interruption.interrupt(signal.SIGINT, None)


def test_ctrl_c_while_a_callback_evaluates_in_one_program():
    objective = js.Callback(lambda params: signal.raise_signal(signal.SIGINT) or 0.0)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        js.minimize(objective, js.Float(0, 1), js.RandomSearch(4), key=jax.random.key(0), num_generations=2)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("what", ["key", "space", "strategy", "target", "objective"])
def test_what_is_traced_is_refused(what):
    concrete = jax.random.key(0)

    def traced(number):
        arguments = {"objective": bowl}
        arguments["space"] = js.Float(0, number) if what == "space" else SPACE
        arguments["strategy"] = js.PSO(inertia=number) if what == "strategy" else js.PSO()
        arguments["key"] = jax.random.key(number.astype(int)) if what == "key" else concrete
        arguments["target"] = number if what == "target" else 0.5
        if what == "objective":
            arguments["objective"] = jax.tree_util.Partial(lambda number, key, params: number, number)
        return js.search(**arguments, num_generations=1).loss

    for transform in (jax.jit, jax.vmap):
        with pytest.raises(ValueError, match=f"its {what} is traced. Use minimize there"):
            transform(traced)(jnp.ones(()) if transform is jax.jit else jnp.ones(2))


def test_searches_of_other_lengths_compile_nothing(compilations):
    run(num_generations=2).trials()
    compilations()
    for length in (3, 5):
        run(num_generations=length)
    assert compilations() == 0
    run(num_generations=5).trials()
    assert compilations() == 1  # for up to 64 of them
    run(num_generations=6).trials()
    assert compilations() == 0


def test_evaluations_are_counted_beyond_32_bits(monkeypatch):
    monkeypatch.setattr(search_module, "MOST_COUNTED", 25)
    assert run(num_generations=2).num_evaluations.dtype == np.int32
    result = run(num_generations=3)
    assert result.num_evaluations == 30
    assert result.num_evaluations.dtype == np.int64


def test_ctrl_c_twice_while_a_callback_evaluates():
    calls = iter(range(100))

    def function(params):
        if next(calls) == 9:  # two signals could become one while the main thread waits for this one
            for _ in range(2):
                signal.getsignal(signal.SIGINT)(signal.SIGINT, None)
        return params["c"] == "a"

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    found = run(js.GA(population_size=4), js.Callback(function), num_generations=9)
    assert (found.stopped, int(found.num_generations), len(found.archive.loss)) == ("interrupt", 2, 8)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "needs an end"),
        ({"target": 0.1}, "needs an end"),
        ({"num_generations": 0}, "num_generations must be"),
        ({"max_evaluations": -5}, "max_evaluations must be"),
        ({"max_evaluations": 9}, "one generation of 10 candidates; got 9"),
        ({"patience": 1.5}, "patience must be"),
        ({"time_limit": 0}, "time_limit must be"),
        ({"time_limit": "1"}, "time_limit must be"),
    ],
)
def test_mistakes(limits, message):
    with pytest.raises(ValueError, match=message):
        run(**limits)


FINITE = {"n": js.Int(0, 6), "kind": js.Switch(plain={}, fancy={"c": js.Choice("a", "b", "c")})}


@pytest.mark.parametrize("name", ["random_search", "local_search", "ga", "tpe"])
def test_an_exhausted_space_ends_the_search(name):
    seen = set()

    def note(generation):
        seen.update(str(js.describe(FINITE, js.decode(FINITE, x))) for x in generation.candidates.x)

    def loss(key, params):
        return params["n"] + 1.0 * params["kind"].index

    result = js.search(
        loss, FINITE, registry[name](), key=jax.random.key(0), max_evaluations=5000, callback=note, progress=False
    )
    assert result.stopped == "exhausted"
    assert bool(result.exhausted)
    assert len(seen) == 7 * (1 + 3)
    assert float(result.loss) == 0


def test_a_finite_space_is_not_exhausted_while_its_configurations_go_on():
    result = js.search(
        lambda key, n: 1.0 * n,
        js.Int(0, 2),
        js.PBT(population_size=10),
        key=jax.random.key(0),
        num_generations=6,
        progress=False,
    )
    assert (result.stopped, int(result.num_generations)) == ("generations", 6)
    assert bool(result.exhausted)


def test_a_space_is_exhausted_only_when_all_of_it_was_seen():
    few = js.minimize(
        lambda key, n: 1.0 * n, js.Int(0, 40), js.RandomSearch(), key=jax.random.key(0), num_generations=1
    )
    many = js.minimize(
        lambda key, n: 1.0 * n, js.Int(0, 40), js.RandomSearch(), key=jax.random.key(0), num_generations=50
    )
    assert not bool(few.exhausted)
    assert bool(many.exhausted)
    keys = jax.random.split(jax.random.key(0), 8)
    once = jax.vmap(
        lambda key: js.minimize(lambda key, n: 1.0 * n, js.Int(0, 40), js.RandomSearch(), key=key, num_generations=4)
    )(keys)
    assert once.exhausted.shape == (8,)
    again = js.search(
        lambda key, n: 1.0 * n,
        js.Int(0, 3),
        js.RandomSearch(),
        key=jax.random.key(0),
        num_generations=9,
        repeat=True,
        progress=False,
    )
    assert again.stopped == "generations"
    assert bool(again.exhausted)
    assert not bool(run(num_generations=2).exhausted)


def test_a_search_that_runs_out_of_memory_goes_on_in_halves(monkeypatch):
    from jaxsearch.runners import search as module

    advance, seen = module._advance, []

    def small(state, chosen, evaluator, space):
        seen.append(getattr(evaluator, "chunk_size", None))
        if int(state.generation) == 1 and seen[-1] != 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123 bytes.")
        return advance(state, chosen, evaluator, space)

    small.eval_shape = advance.eval_shape
    whole = run(num_generations=3)
    monkeypatch.setattr(module, "_advance", small)
    with pytest.warns(RuntimeWarning, match="goes on with half the chunk size"):
        halves = run(num_generations=3)
    assert seen == [None, None, 5, 2, 2]
    np.testing.assert_allclose(halves.history, whole.history, rtol=1e-6)


def test_another_error_of_the_device_ends_it(monkeypatch):
    from jaxsearch.runners import search as module

    def fail(*_):
        raise jax.errors.JaxRuntimeError("INTERNAL: a bug")

    fail.eval_shape = module._advance.eval_shape
    monkeypatch.setattr(module, "_advance", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="a bug"):
        run(num_generations=3)


def test_a_loss_of_minus_infinity_has_failed():
    result = run(js.RandomSearch(30), lambda key, p: jnp.where(p["c"] == 0, -jnp.inf, 1.0), num_generations=4)
    assert 15 < int(result.num_failed) < 70
    assert float(result.loss) == 1
