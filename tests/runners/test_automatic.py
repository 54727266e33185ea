import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.runners.automatic import resolved
from jaxsearch.strategies import registry

REAL, WHOLE = js.Float(-5, 5, shape=(5,)), js.Int(0, 9, shape=(5,))
MIXED = {"x": js.Float(-5, 5, shape=(3,)), "n": js.Int(0, 9), "c": js.Choice("a", "b")}
CHOICE = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "choice.json").read_text("utf-8"))

CASES = {
    "gradients": (REAL, 64, {"gradients": True}, "gradient_search", "there are gradients and all 5 coordinates are"),
    "gradients of some": (MIXED, 64, {"gradients": True}, "tpe", "64 evaluations are few"),
    "few": (REAL, 128, {}, "tpe", "128 evaluations are few"),
    "few generations": (REAL, 256, {"population_size": 64}, "tpe", "256 evaluations in 4 generations are few"),
    "more generations": (REAL, 512, {"population_size": 64}, "cmaes", "512 evaluations"),
    "finite": (WHOLE, 1024, {}, "tpe", "all 5 coordinates are discrete and 1,024 evaluations are not many"),
    "finite, many": (WHOLE, 1025, {}, "ga", "all 5 coordinates are discrete and 1,025 evaluations are many"),
    "reals": (REAL, 500, {}, "cmaes", "all 5 coordinates are continuous"),
    "reals, not many": (REAL, 499, {}, "sep_cmaes", "all 5 coordinates are continuous"),
    "very many reals": (js.Float(0, 1, shape=(201,)), 10**6, {}, "sep_cmaes", "all 201 coordinates are continuous"),
    "mixed": (MIXED, 1499, {}, "sep_cmaes", "2 of 5 coordinates are discrete"),
    "mixed, many": (MIXED, 1500, {}, "de", "2 of 5 coordinates are discrete and 1,500 evaluations are many"),
    "one": (js.Float(0, 1), 1000, {}, "cmaes", "the only coordinate is continuous"),
    "unknown": (WHOLE, None, {}, "tpe", "an unknown number of evaluations"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule_says_what_and_why(case):
    space, budget, settings, name, why = CASES[case]
    chosen = js.choose(space, budget, **settings)
    assert chosen == js.choose(js.domain(space), budget, **settings), "a domain is enough"
    assert chosen.name == name
    inner = chosen.strategy.strategy if isinstance(chosen.strategy, js.Restart) else chosen.strategy
    assert type(inner) is registry[name]
    assert chosen.reason.startswith(f"{registry[name].__name__}, since ")
    assert why in chosen.reason
    assert chosen.reason.endswith(".")


def test_the_population_is_as_large_as_wanted_and_as_needed():
    assert js.choose(REAL, 1000, population_size=20).strategy == js.CMAES(population_size=20)
    assert js.choose(MIXED, 2000, population_size=3).strategy == js.Restart(js.DE(population_size=4))
    assert js.choose(REAL, 640, population_size=1).strategy == js.Restart(js.CMAES(population_size=2))


def test_no_single_strategy_does_as_well_on_what_was_measured():
    """The rule against each fixed strategy, by mean rank over the kinds of spaces, at every budget together."""
    ranks: dict[str, list[float]] = {}
    for facts in CHOICE["groups"].values():
        domain = js.Domain(**{name: tuple(values) for name, values in facts["domain"].items()})
        for regime, budgets in facts["ranks"].items():
            size = 64 if regime == "64 at once" else None
            for budget, cell in budgets.items():
                chosen = js.choose(domain, int(budget), population_size=size, gradients=regime == "gradients")
                cell = {"GradientSearch": np.nan, **cell}
                for name, rank in (cell | {"auto": cell[registry[chosen.name].__name__]}).items():
                    ranks.setdefault(name, []).append(rank)
    means = {name: np.mean(of) for name, of in ranks.items() if not np.isnan(of).any()}
    assert len(means) > 8
    assert min(means, key=means.__getitem__) == "auto", means
    assert means["auto"] < min(mean for name, mean in means.items() if name != "auto") - 0.5


def bowl(key, params):
    return jnp.sum((params - 1.0) ** 2)


def test_searching_by_name_and_automatically():
    auto = js.minimize(bowl, REAL, "auto", key=jax.random.key(0), num_generations=20)
    assert auto.reason.startswith("SepCMAES, since all 5 coordinates are continuous and 160 evaluations tell")
    assert int(auto.num_evaluations) == 160, "4 + 3 ln 5 candidates a generation"
    host = js.search(bowl, REAL, "auto", key=jax.random.key(0), num_generations=20, progress=False)
    np.testing.assert_allclose(host.history, auto.history, rtol=1e-5)
    assert (host.reason, host.stopped) == (auto.reason, "generations")
    named = js.search(bowl, REAL, "pso", key=jax.random.key(0), max_evaluations=60, progress=False)
    assert named.reason is None
    assert isinstance(named.state, type(js.PSO().init(jax.random.key(0), js.domain(REAL))))
    few = js.search(bowl, WHOLE, "auto", key=jax.random.key(0), max_evaluations=12, progress=False)
    assert few.reason == "TPE, since 12 evaluations are few."
    assert int(few.num_generations) == 12


def test_gradients_are_found_inside_of_wrappers():
    evaluator = js.Sharded(js.Vectorized(bowl, gradients=True))
    result = js.minimize(evaluator, REAL, "auto", key=jax.random.key(0), num_generations=5)
    assert result.reason.startswith("GradientSearch, since there are gradients")
    assert float(result.loss) < 1e-6


def test_trainings_get_large_generations():
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    model = js.models.MLP(2, 2, max_layers=1, max_width=8)
    training = js.Halving(
        js.Training(model, (x, (x[:, 0] > 0).astype(int)), folds=1, epochs=2, batch_size=8), num_rungs=1
    )
    result = js.search(training, model.space(), "auto", key=jax.random.key(0), max_evaluations=32, progress=False)
    assert (int(result.num_generations), int(result.num_evaluations)) == (4, 32)
    assert result.reason == "TPE, since 32 evaluations in 4 generations are few."


def test_trainings_that_go_on_get_a_strategy_that_says_from_where():
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    model = js.models.MLP(2, 2, max_layers=1, max_width=8)
    training = js.Training(model, (x, (x[:, 0] > 0).astype(int)), folds=1, epochs=4, batch_size=8)
    evaluator, space, seen = js.Continued(training), model.space(), []
    for wrapped, arguments, size in (
        (evaluator, {}, 64),
        (evaluator, {"num_generations": 4}, 64),
        (js.Sharded(evaluator), {"max_evaluations": 40}, 10),
        (evaluator, {"num_generations": 9, "max_evaluations": 3}, 2),
    ):
        strategy, reason = resolved("auto", wrapped, space, **arguments)
        assert strategy == js.PBT(size, fixed=evaluator.fixed(space))
        assert reason == "PBT, since what members have learned goes on from generation to generation."
    result = js.search(
        evaluator, space, "auto", key=jax.random.key(0), max_evaluations=16, callback=seen.append, progress=False
    )
    assert result.reason == reason
    np.testing.assert_array_equal(seen[-1].results.aux["epochs"], 4)
    assert resolved("ga", evaluator, space) == (js.GA(), None), "what was asked for"
    assert resolved("pbt", evaluator, space) == (js.PBT(fixed=evaluator.fixed(space)), None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strategy": "pos"}, "Unknown strategy 'pos'. Did you mean pso"),
        ({"strategy": "xyzzy"}, "Unknown strategy 'xyzzy'. Use one of auto, random_search, .*tpe"),
        ({"strategy": "auto", "num_generations": 0}, "num_generations must be an integer of at least 1"),
    ],
)
def test_mistakes_are_told(arguments, message):
    for run in (js.minimize, js.search):
        with pytest.raises(ValueError, match=message):
            run(bowl, REAL, key=jax.random.key(0), **{"num_generations": 3} | arguments)


def test_bad_numbers():
    for settings in ({"max_evaluations": 0}, {"max_evaluations": 9, "population_size": 0}):
        with pytest.raises(ValueError, match="must be an integer of at least 1"):
            js.choose(REAL, **settings)
