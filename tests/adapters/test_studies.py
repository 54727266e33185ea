import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

import jaxsearch as js
from jaxsearch.adapters.optuna import from_optuna_distributions, to_optuna_distributions, to_optuna_study

DISTRIBUTIONS = {
    "dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "layers": IntDistribution(1, 4),
    "only": IntDistribution(3, 3),
    "option": CategoricalDistribution(["a", None, 2]),
    "rate": FloatDistribution(1e-4, 0.1, log=True),
    "units": IntDistribution(16, 64, step=16),
    "width": IntDistribution(1, 100, log=True),
}
SPACE = {
    "kind": js.Switch(a={"x": js.Float(0, 1)}, b={"n": js.Int(0, 3), "none": js.Choice(None, "some")}),
    "w": js.Float(-1, 1, shape=(2,)),
    "z": js.Choice(1, True, (2, 3)),
}


def test_distributions_become_a_space_and_come_back():
    space = from_optuna_distributions(DISTRIBUTIONS)
    assert space["dropout"] == js.Choice(0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, ordered=True)
    assert space["units"] == js.Choice(16, 32, 48, 64, ordered=True)
    assert space["width"] == js.Int(1, 100, log=True)
    back = to_optuna_distributions(space)
    assert back == DISTRIBUTIONS | {"only": CategoricalDistribution([3])}


def test_too_many_steps_are_refused():
    with pytest.raises(ValueError, match="may have 10,000 values; x has 1,000,001"):
        from_optuna_distributions({"x": FloatDistribution(0, 1, step=1e-6)})


@pytest.mark.parametrize(
    "options",
    [(1, 2, 4), (3, 2, 1), ("a", "b"), (1, 2.0, 3), (0.0, 1 / 3, 2 / 3, 1.0), (0.0, math.inf), (0, 2**60), (0, 5, 1)],
    ids=repr,
)
def test_an_order_without_equal_steps_has_options(options):
    found = to_optuna_distributions({"x": js.Choice(*options, ordered=True)})
    assert found == {"x": CategoricalDistribution(options)}


def test_a_step_that_is_added_up_stays_inside_of_its_distribution():
    space = {"x": js.Choice(0.1, 0.2, 0.1 + 0.2, ordered=True)}
    search = functools.partial(js.search, lambda key, params: -1.0 * params["x"], space, js.RandomSearch())
    study = to_optuna_study(search(key=jax.random.key(0), num_generations=1, progress=False))
    assert study.trials[0].distributions["x"] == FloatDistribution(0.1, 0.3, step=0.1)
    assert study.best_params == {"x": 0.3}


def test_a_result_becomes_a_study():
    def loss(key, params):
        return jnp.where(params["w"][0] > 0.5, jnp.nan, params["w"][1] + params["kind"].index)

    result = js.search(loss, SPACE, js.GA(population_size=8), key=jax.random.key(0), max_evaluations=48)
    study, table = to_optuna_study(result, study_name="known"), result.trials()
    assert study.study_name == "known"
    assert len(study.trials) == 48
    assert study.best_value == float(result.loss)
    failed = np.array([trial.state == TrialState.FAIL for trial in study.trials])
    np.testing.assert_array_equal(failed, table["status"] == "failed")
    assert failed.any()
    for i, trial in enumerate(study.trials):
        branch = {"a": {"kind.a.x"}, "b": {"kind.b.n", "kind.b.none"}}[trial.params["kind"]]
        assert set(trial.params) == branch | {"kind", "w[0]", "w[1]", "z"}
        assert trial.params["z"] == repr(table["z"][i])
        assert trial.params["w[0]"] == table["w[0]"][i]
        assert trial.user_attrs["generation"] == table["generation"][i]
        assert trial.datetime_complete >= trial.datetime_start
    assert set(optuna.importance.get_param_importances(study)) >= {"w[0]", "w[1]", "kind"}


def test_the_trials_must_have_been_kept():
    result = js.minimize(lambda key, x: x, js.Float(0, 1), js.GA(), key=jax.random.key(0), num_generations=2)
    with pytest.raises(ValueError, match="archive=True"):
        to_optuna_study(result)
