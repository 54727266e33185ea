"""Which strategy for which space and budget: the rule behind the name "auto"."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsearch.core.names import check_name
from jaxsearch.core.population import check_count, check_size
from jaxsearch.core.protocols import Strategy, Trainable
from jaxsearch.core.types import Domain, PyTree
from jaxsearch.spaces import codec
from jaxsearch.strategies import registry
from jaxsearch.strategies.population_based_training import PBT
from jaxsearch.strategies.restart import Restart

AT_ONCE = 64  # candidates that train together
# Between the budgets that were measured nobody knows where exactly the rule should change.
FEW, FEW_GENERATIONS = 128, 8
MANY = 1024  # the largest budget of the benchmark, which counts for an unknown one, too
DEPENDENCE, DIFFERENCES = 100, 300  # evaluations per coordinate, from which it pays to learn them
MOST_DEPENDENT = 200  # coordinates; the matrix of more costs too much
LASTING = ("gradient_search", "tpe")  # they begin anew by themselves


class Chosen(NamedTuple):
    """A strategy, and why.

    name: in the registry. strategy: ready to use, in `Restart` where that may matter. reason: one sentence.
    """

    name: str
    strategy: Strategy
    reason: str


def choose(
    space: PyTree | Domain, max_evaluations: int | None, *, population_size: int | None = None, gradients: bool = False
) -> Chosen:
    """The strategy that "auto" stands for.

        >>> js.choose(js.Float(0, 1, shape=(5,)), 10_000).reason
        'CMAES, since all 5 coordinates are continuous and 10,000 evaluations tell how they depend on each other.'

    With gradients and without discrete coordinates GradientSearch. Otherwise TPE for up to 128 evaluations or less than
    8 generations, and on finite spaces for up to 1024 evaluations; beyond, GA there. With continuous coordinates only,
    CMAES from 100 evaluations per coordinate on; with discrete ones too, DE from 300 on; before, SepCMAES.

    benchmarks/choice.py holds the evidence.

    Args:
        space: a space or its domain.
        max_evaluations: candidates that will be evaluated; None if nobody knows how many, which counts as 1024.
        population_size: candidates of a generation; None for as many as the strategy has by default.
        gradients: whether the evaluator gives `Results.grad`.

    Raises:
        ValueError: for numbers below 1.
    """
    domain = space if isinstance(space, Domain) else codec.domain(space)
    if max_evaluations is not None:
        max_evaluations = check_count("max_evaluations", max_evaluations)
    population_size = check_size(population_size)
    budget = max_evaluations or MANY
    generations = budget // (population_size or 1)
    spent = f"{budget:,} evaluations" if max_evaluations else "an unknown number of evaluations"
    if generations < min(budget, FEW_GENERATIONS):
        spent += f" in {generations:,} generations"
    name, why = _rule(domain, budget, generations, gradients, spent)
    make = registry[name]
    least = {"de": 4, "cmaes": 2, "sep_cmaes": 2}.get(name, 1)
    strategy = make() if population_size is None else make(population_size=max(population_size, least))
    if generations > Restart.patience and name not in LASTING:
        strategy = Restart(strategy)
    return Chosen(name, strategy, f"{make.__name__}, since {why}.")


def _rule(domain: Domain, budget: int, generations: int, gradients: bool, spent: str) -> tuple[str, str]:
    """The name of the strategy, and why; `spent` is what the reason calls the budget."""
    size, discrete = domain.size, int(domain.discrete.sum())
    kind = {0: "continuous", size: "discrete"}.get(discrete, "")
    what = f"all {size} coordinates are {kind}" if kind else f"{discrete} of {size} coordinates are discrete"
    what = f"the only coordinate is {kind}" if size == 1 else what
    if gradients and not discrete:
        return "gradient_search", f"there are gradients and {what}"
    if budget <= FEW or generations < FEW_GENERATIONS:
        return "tpe", f"{spent} are few"
    if discrete == size and budget <= MANY:
        return "tpe", f"{what} and {spent} are not many"
    if discrete == size:
        return "ga", f"{what} and {spent} are many"
    if discrete and budget >= DIFFERENCES * size:
        return "de", f"{what} and {spent} are many"
    if not discrete and budget >= DEPENDENCE * size and size <= MOST_DEPENDENT:
        return "cmaes", f"{what} and {spent} tell how they depend on each other"
    return "sep_cmaes", f"{what} and {spent} tell the scale of each, but not how they depend on each other"


def resolved(
    strategy: Any,
    evaluator: Any,
    space: PyTree,
    num_generations: int | None = None,
    max_evaluations: int | None = None,
) -> tuple[Any, str | None]:
    """The strategy that a name stands for, and why that one if it is "auto"; anything but a name as it is.

    Where members go on from generation to generation, "auto" is PBT: after any other, each would begin anew. PBT then
    leaves alone what they have to keep.

    Raises ValueError for an unknown name.
    """
    if not isinstance(strategy, str):
        return strategy, None
    check_name("strategy", strategy, ("auto", *registry))
    trains, gradients, fixed = _nature(evaluator)
    if strategy != "auto":
        make = registry[strategy]
        return (make(fixed=fixed(space)) if make is PBT and fixed else make()), None
    domain = codec.domain(space)
    most = math.inf if max_evaluations is None else max_evaluations
    size = int(max(min(AT_ONCE, most / 4), 1)) if trains else None
    if num_generations is not None:
        # As many candidates as CMAES has by default, since what is chosen must not change what a generation is.
        size = size or int(min(4 + 3 * math.log(max(domain.size, 1)), most))
        most = min(most, num_generations * size)
    if fixed is not None:
        why = "PBT, since what members have learned goes on from generation to generation."
        return PBT(max(size or 0, 2), fixed(space)), why
    budget = None if most == math.inf else int(most)
    chosen = choose(domain, budget, population_size=size, gradients=gradients)
    return chosen.strategy, chosen.reason


def _nature(evaluator: Any) -> tuple[bool, bool, Callable[[PyTree], Any] | None]:
    """Whether an evaluator, or what it wraps, trains populations, whether it gives gradients, and, where members go on
    from generation to generation as in `Continued`, its `fixed`: the coordinates that they have to keep."""
    trains, gradients, fixed = False, False, None
    while evaluator is not None:
        method = getattr(evaluator, "fixed", None)
        fixed = method if callable(method) else fixed
        trains |= isinstance(evaluator, Trainable)
        gradients |= getattr(evaluator, "gradients", False) is True
        evaluator = getattr(evaluator, "evaluator", None)
    return trains or fixed is not None, gradients, fixed
