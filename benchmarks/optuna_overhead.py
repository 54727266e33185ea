"""What does a strategy cost as a sampler of Optuna, beside Optuna's own samplers?

    python benchmarks/optuna_overhead.py [--rounds 5] [--trials 1000] [--strategies tpe ...]

Whole studies in memory, 5 parameters of every kind and an objective that takes no time, in turns. `first` is a
strategy's first study in the process, which compiles; the medians are of studies after that. The ratios are those of
the medians, and of the first one to the median of the other side.
"""

import functools

import optuna
from timing import command, in_turns, load, rounded, save

from jaxsearch.adapters.optuna import JaxSearchSampler
from jaxsearch.strategies import registry

TARGETS = {"TPESampler": 0.5, "RandomSampler": 2.0}  # ratios


def objective(trial: optuna.Trial) -> float:
    """Five parameters, one of each kind."""
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    momentum = trial.suggest_float("momentum", 0.0, 0.99)
    layers = trial.suggest_int("layers", 1, 8)
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.1)
    penalty = {"relu": 0.0, "tanh": 0.1, "gelu": 0.2}[trial.suggest_categorical("activation", ["relu", "tanh", "gelu"])]
    return (rate - 0.01) ** 2 + (momentum - 0.9) ** 2 + (layers - 3) ** 2 + dropout + penalty


def study(make_sampler, trials: int) -> None:
    """One study from its first trial to its last."""
    optuna.create_study(sampler=make_sampler()).optimize(objective, trials)


def measure(name: str, trials: int, rounds: int) -> dict:
    """Seconds of a study with each sampler, and the ratios."""
    samplers = {
        "ours": functools.partial(JaxSearchSampler, name, seed=0),
        "RandomSampler": functools.partial(optuna.samplers.RandomSampler, seed=0),
        "TPESampler": functools.partial(optuna.samplers.TPESampler, seed=0),
    }
    times = in_turns({side: functools.partial(study, make, trials) for side, make in samplers.items()}, rounds)
    ratios = {side: rounded(times["ours"]["median"] / times[side]["median"]) for side in TARGETS}
    first = {side: rounded(times["ours"]["first"] / times[side]["median"]) for side in TARGETS}
    return {"times": times, "ratios": ratios, "first_ratios": first}


def main() -> None:
    parser = command(__doc__, "optuna_overhead")
    parser.set_defaults(rounds=5)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--strategies", nargs="+", choices=registry, default=list(registry))
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    known = load(options.result)
    same = known.get("trials") == options.trials and known.get("rounds") == options.rounds
    result = {"trials": options.trials, "rounds": options.rounds, "targets": TARGETS}
    result["strategies"] = known["strategies"] if same else {}
    for name in options.strategies:
        result["strategies"][name] = found = measure(name, options.trials, options.rounds)
        save(options.result, result, ["optuna"])
        print(name, found["ratios"], found["first_ratios"], flush=True)


if __name__ == "__main__":
    main()
