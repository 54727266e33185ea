"""A strategy by name, or chosen, of a size that fits the budget."""

from typing import Any

import jax

from jaxsearch.core.names import check_name
from jaxsearch.core.protocols import Strategy
from jaxsearch.core.types import Domain
from jaxsearch.runners.automatic import AT_ONCE, choose
from jaxsearch.runners.generation import population_size
from jaxsearch.strategies import registry

UNFIT = {
    "gradient_search": "gradients, of which there are none here",
    "pbt": "members that go on from generation to generation, which here begin anew (in Python: Continued)",
}
GENERATIONS = 4


def strategy_name(name: str) -> str:
    """The registered name, or auto. Raises ValueError for others, and for those that need more than losses."""
    plain = {key.replace("_", ""): key for key in ("auto", *registry)}
    key = plain.get(name.lower().replace("_", "").replace("-", ""), name)
    check_name("strategy", key, ("auto", *registry))
    if key in UNFIT:
        others = ", ".join(other for other in ("auto", *registry) if other not in UNFIT)
        raise ValueError(f"{key} needs {UNFIT[key]}. Use {others}.")
    return key


def chosen(name: str, domain: Domain, budget: int, generations: int = GENERATIONS) -> tuple[str, str | None]:
    """The registered name, and the reason where it was not the user's choice."""
    if name != "auto":
        return name, None
    found = choose(domain, budget, population_size=max(min(AT_ONCE, budget // generations), 1))
    return found.name, found.reason


def fitting(name: str, domain: Domain, budget: int, generations: int = GENERATIONS) -> Strategy:
    """The strategy with this name, or the one chosen, of a size that fits the budget."""
    name, _ = chosen(strategy_name(name), domain, budget, generations)
    return sized(registry[name], domain, budget, generations)


def sized(make_strategy: Any, domain: Domain, budget: int, generations: int = GENERATIONS) -> Strategy:
    """The strategy with a population that the budget lets live for so many generations or more, using up what it can.

    Where the strategy needs a larger one, it gets the smallest that it takes.
    """

    def population(strategy: Strategy) -> int:
        key = jax.eval_shape(jax.random.key, 0)
        state = jax.eval_shape(lambda key: strategy.init(key, domain), key)
        return population_size(strategy, state, key)

    def takes(size: int) -> bool:
        try:
            make_strategy(population_size=size)
        except ValueError:
            return False
        return True

    default = population(make_strategy())
    least = next(size for size in range(1, default + 1) if takes(size))
    if budget < least:
        name = make_strategy.__name__
        raise ValueError(f"{name} needs a budget of at least {least}; got {budget}. Raise it, or use another strategy.")
    largest = max(min(max(default, AT_ONCE), budget // generations), least)
    sizes = range(max(-(-largest // 2), least), largest + 1)
    return make_strategy(population_size=max(sizes, key=lambda size: (budget // size * size, size)))
