"""What the suite of Optuna does not ask: that studies are searched well, go on, and lose nothing."""

import pickle
import subprocess
import sys

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

import jaxsearch as js
from jaxsearch.adapters.groups import MOST_RANGES, Groups, Item
from jaxsearch.adapters.optuna import JaxSearchSampler

SWARM = js.PSO(population_size=5)


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def bowl(trial):
    return (trial.suggest_float("x", -1, 1) - 0.3) ** 2 + (trial.suggest_float("y", 0, 1) - 0.5) ** 2


def params(study):
    return [trial.params for trial in study.trials]


def study_of(strategy=SWARM, seed=0, **settings):
    return optuna.create_study(sampler=JaxSearchSampler(strategy, seed=seed), **settings)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("strategy", [js.CMAES(population_size=6), js.GradientSearch()], ids=lambda s: type(s).__name__)
def test_a_study_finds_the_optimum(strategy, direction):
    sign = 1 if direction == "minimize" else -1
    study = study_of(strategy, direction=direction)
    study.optimize(lambda trial: sign * bowl(trial), 120)
    assert abs(study.best_value) < 1e-4


def test_the_same_seed_gives_the_same_trials():
    studies = [study_of(seed=seed) for seed in (0, 0, 1)]
    for study in studies:
        study.optimize(bowl, 12)
    assert params(studies[0]) == params(studies[1]) != params(studies[2])


def test_a_study_that_is_loaded_goes_on_as_if_it_had_not_stopped():
    whole, parts = study_of(), study_of()
    whole.optimize(bowl, 33)
    parts.optimize(bowl, 18)
    parts.sampler = JaxSearchSampler(SWARM, seed=0)
    parts.optimize(bowl, 7)
    parts.sampler = pickle.loads(pickle.dumps(parts.sampler))
    parts.optimize(bowl, 8)
    assert params(parts) == params(whole)


def test_so_does_one_with_trials_that_failed_before_they_had_all_parameters():
    def objective(trial):
        x, option = trial.suggest_float("x", -1, 1), trial.suggest_categorical("option", [float("nan"), "a"])
        if trial.number % 4 == 3:
            raise ArithmeticError
        return x**2 + (option == "a") + trial.suggest_float("y", 0, 1)

    whole, parts = study_of(), study_of()
    whole.optimize(objective, 22, catch=ArithmeticError)
    parts.optimize(objective, 13, catch=ArithmeticError)
    parts.sampler = JaxSearchSampler(SWARM, seed=0)
    parts.optimize(objective, 9, catch=ArithmeticError)
    assert str(params(parts)) == str(params(whole))  # as texts, in which NaN equals NaN


def test_it_learns_from_trials_that_it_did_not_propose():
    study = study_of(js.LocalSearch(), seed=3)
    near = {"x": 0.3001, "y": 0.5}
    study.optimize(bowl, 2)
    study.enqueue_trial(near)
    distributions = {"x": FloatDistribution(-1, 1), "y": FloatDistribution(0, 1)}
    study.optimize(bowl, 1)
    study.add_trial(optuna.create_trial(params=near, distributions=distributions, value=1e-8))
    study.optimize(bowl, 60)
    search = next(iter(next(iter(study.sampler._studies.values()))[study._study_id].searches.values()))
    assert float(search.state.loss[0]) <= 1e-8  # of the chain, which only ever descends


def test_it_learns_of_trials_that_another_process_ends():
    study = study_of(study_name="shared")
    other = optuna.load_study(study_name="shared", storage=study._storage, sampler=JaxSearchSampler(SWARM))
    for _ in range(12):
        trial = study.ask()
        other.tell(trial.number, bowl(trial))
    search = next(iter(study.sampler._known(study).searches.values()))
    assert search.generation == 2


@pytest.mark.filterwarnings("ignore:PartialFixedSampler is experimental")
def test_some_parameters_may_be_fixed():
    study = study_of()
    study.optimize(bowl, 6)
    search = next(iter(study.sampler._known(study).searches.values()))
    study.sampler = optuna.samplers.PartialFixedSampler({"y": 0.25}, study.sampler)
    study.optimize(bowl, 12)
    assert all(trial.params["y"] == 0.25 for trial in study.trials[6:])
    study.sampler = study.sampler._base_sampler
    study.optimize(bowl, 2)
    assert search.generation == 4  # the others were learned from


def test_branches_are_searched_each_by_itself():
    def objective(trial):
        if trial.suggest_categorical("kind", ["a", "b"]) == "a":
            return (trial.suggest_float("a1", 0, 1) - 0.9) ** 2 + (trial.suggest_float("a2", 0, 1) - 0.1) ** 2 + 0.1
        return (trial.suggest_float("b1", -4, 4) - 2) ** 2

    study = study_of(js.CMAES(population_size=6))
    study.optimize(objective, 150)
    assert study.best_params["kind"] == "b"
    assert study.best_value < 0.01
    groups = [[name for name, _ in group] for group in study.sampler._known(study).searches]
    assert sorted(map(sorted, groups))[:2] == [["a1", "a2"], ["b1"]]


def test_who_never_answers_is_replaced():
    study = study_of()
    study.optimize(bowl, 1)
    lost = [study.ask() for _ in range(4)]
    for trial in lost:
        bowl(trial)
    study.optimize(bowl, 2)
    search = next(iter(study.sampler._known(study).searches.values()))
    study.optimize(bowl, 40)
    assert search.generation >= 7
    study.tell(lost[0], 0.0)  # late, and yet of use
    study.optimize(bowl, 6)
    assert np.isclose(float(np.min(search.state.best_loss)), 0.0)


def test_slopes_come_from_neighbours_alone_where_workers_ask_at_the_same_time():
    study = study_of(js.GradientSearch())
    for _ in range(30):
        study.enqueue_trial({"x": 1.0, "y": 1.0})
        for trial in [study.ask() for _ in range(5)]:
            study.tell(trial, bowl(trial))
    assert study.best_value < 1e-6


def test_threads_share_a_sampler():
    study = study_of()
    study.optimize(bowl, 40, n_jobs=4)
    assert len(study.trials) == 40
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 40


def test_failed_trials_count_as_worst_and_pruned_ones_by_their_last_value():
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        if x > 0.5:
            raise ArithmeticError
        if x < 0.25:
            return x
        trial.report(x, 0)
        raise optuna.TrialPruned

    study = study_of(js.CMAES(population_size=6))
    study.optimize(objective, 61, catch=ArithmeticError)
    assert {trial.state for trial in study.trials} == {TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE}
    log = study.sampler._known(study).log
    for trial in study.trials:
        assert log[trial.number].loss == (np.inf if trial.state == TrialState.FAIL else trial.params["x"])


def test_a_parameter_whose_range_has_just_changed_is_drawn_anew():
    study = study_of()
    for high in (10, 10, 10, 5, 5, 5):
        study.optimize(lambda trial, high=high: trial.suggest_int("n", 0, high) / high, 1)
        assert study.trials[-1].params["n"] <= high
    assert [dict(group)["n"].high for group in study.sampler._known(study).searches] == [10, 5]


def test_a_parameter_whose_range_changes_again_and_again_is_drawn_at_random():
    study = study_of()
    for _ in range(40):  # each range twice, so that it has not just changed
        study.optimize(
            lambda trial: trial.suggest_int("n", 0, 5 + trial.number // 2) + trial.suggest_float("x", 0, 1), 1
        )
    searched = [name for group in study.sampler._known(study).searches for name, _ in group]
    assert 1 <= searched.count("n") <= MOST_RANGES
    assert searched.count("x") <= MOST_RANGES + 1


def test_a_range_that_changes_in_every_trial_costs_no_more_in_the_end(monkeypatch):
    looked_up, groups, before = [], Groups(), Item.__hash__
    monkeypatch.setattr(Item, "__hash__", lambda item: looked_up.append(item) or before(item))
    costs = []
    for high in range(1, 100):
        groups.add({"x": FloatDistribution(0, high), "y": FloatDistribution(0, 1)})
        assert list(groups.together()) == ["x", "y"][high > 1 :]
        costs.append(len(looked_up))
    assert costs[98] - costs[97] == costs[2] - costs[1]


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (FloatDistribution(-1e308, 1.5e308), float),
        (FloatDistribution(1e-300, 1e300, log=True), float),
        (IntDistribution(-(2**60), 2**60), int),
        (IntDistribution(3, 7 * 10**8 + 3, step=7), int),
        (IntDistribution(1, 10**12, log=True), int),
        (FloatDistribution(0.1, 0.9, step=0.1), float),
        (CategoricalDistribution([None, True, "a", 2.5]), object),
    ],
)
def test_values_are_plain_and_inside(distribution, expected):
    study = study_of(js.RandomSearch(population_size=16))
    for _ in range(20):
        trial = study.ask({"x": distribution})
        study.tell(trial, 0.0)
        value = trial.params["x"]
        assert isinstance(value, expected)
        assert distribution._contains(distribution.to_internal_repr(value))


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution should be")
def test_options_may_be_anything():
    """Also a list, which has no hash, and a NaN, which no other one equals; both are made anew for each trial."""

    def objective(trial):
        trial.suggest_categorical("options", [[8, 8], float("nan"), None])
        return trial.suggest_float(trial.suggest_categorical("kind", ["x", "y"]), 0, 1)

    study = study_of()
    study.optimize(objective, 30)
    known = study.sampler._known(study)
    assert len(known.groups.kinds) == 2
    _, *groups = known.searches.values()  # the first was of what the first trial had
    assert [search.generation >= 1 for search in groups] == [True] * 3


def test_every_value_is_drawn_equally_often():
    study = study_of(js.RandomSearch(population_size=64), seed=1)
    study.optimize(
        lambda trial: trial.suggest_int("n", 0, 30, step=10) + trial.suggest_float("f", 0, 1, step=0.25), 400
    )
    for name, count in (("n", 4), ("f", 5)):
        _, seen = np.unique([trial.params[name] for trial in study.trials], return_counts=True)
        assert len(seen) == count
        assert np.sum((seen - 400 / count) ** 2 / (400 / count)) < 16  # chi-square, 3 or 4 degrees of freedom


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JaxSearchSampler("cma"), "cma"),
        (lambda: JaxSearchSampler(js.CMAES), "init, ask and tell"),
        (lambda: JaxSearchSampler(js.Restart(js.Seeded(SWARM, np.zeros((1, 2))))), "Use study.enqueue_trial"),
        (lambda: JaxSearchSampler(seed=-1), "seed must be an integer in 0..2\\*\\*32-1; got -1"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_without_optuna_one_line_names_the_extra():
    code = "import sys; sys.modules['optuna'] = None; import jaxsearch.adapters.optuna"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip().splitlines()[-1].endswith("Install it: pip install 'jaxsearch[optuna]'")


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_values_that_float32_cannot_tell_apart_are_told_apart(direction, sign):
    study = optuna.create_study(sampler=JaxSearchSampler(js.CMAES(), seed=0), direction=direction)
    study.optimize(lambda trial: sign * (1e9 + 1e3 * (trial.suggest_float("x", -1, 1) - 0.3) ** 2), n_trials=60)
    assert abs(study.best_params["x"] - 0.3) < 0.02
