"""Spaces and results of jaxsearch as those of Optuna, and spaces back."""

import datetime
import math
from decimal import Decimal
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from jaxsearch.adapters.distributions import Coordinate, Distributions
from jaxsearch.core import bounds
from jaxsearch.core.types import PyTree
from jaxsearch.runners.result import Result
from jaxsearch.spaces import codec
from jaxsearch.spaces.columns import dimensions
from jaxsearch.spaces.dimensions import Choice, Float, Int
from jaxsearch.spaces.switch import Switch

MOST_OPTIONS = 10_000  # of a distribution with steps that becomes a Choice


def to_optuna_distributions(space: PyTree) -> dict[str, BaseDistribution]:
    """Optuna's distribution of every number and label of a space, by the name that it has in `Result.trials`.

    That is `optimizer` for the branch of a Switch and `optimizer.sgd.momentum` for a parameter in the branch. Ordered
    numbers at equal decimal steps become a distribution with a step; options that are no plain values, or equal for
    Optuna (1 and True), become texts.
    """
    return {name: _distribution(dimension) for name, dimension in dimensions(space).items()}


def _distribution(dimension: Any) -> BaseDistribution:
    match dimension:
        case Float():
            low, high = (float(str(np.asarray(bound))) for bound in (dimension.low, dimension.high))  # as decimals
            return FloatDistribution(low, high, log=dimension.log)
        case Int():
            return IntDistribution(dimension.low, dimension.high, log=dimension.log)
        case Choice(ordered=True):
            return _steps(dimension.options) or CategoricalDistribution(_labels(dimension))
    return CategoricalDistribution(_labels(dimension))


def _steps(options: tuple[Any, ...]) -> BaseDistribution | None:
    """The distribution whose values are these, if they are numbers at equal steps that Optuna can add up exactly."""
    kinds, first, last, count = {type(option) for option in options}, options[0], options[-1], len(options) - 1
    if not count or kinds not in ({int}, {float}) or not first < last:
        return None
    if kinds == {int}:
        step = max((last - first) // count, 1)
        exact = max(-first, last) <= 2**53 and options == tuple(range(first, last + 1, step))  # Optuna keeps doubles
        return IntDistribution(first, last, step=step) if exact else None
    step = (last - first) / count
    if not math.isfinite(step) or not all(abs(first + i * step - one) <= 1e-9 * step for i, one in enumerate(options)):
        return None
    low, high, step = (float(f"{number:.12g}") for number in (first, last, step))
    if (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)):
        return None  # as for thirds, of which Optuna would leave out the last
    return FloatDistribution(low, high, step=step)


def _labels(dimension: Choice | Switch) -> list[Any]:
    """The options as values that Optuna can keep and tell apart."""
    options = dimension.options if isinstance(dimension, Choice) else tuple(dimension.branches)
    plain = all(option is None or type(option) in (bool, int, float, str) for option in options)
    if plain and all(options.index(option) == i for i, option in enumerate(options)):
        return list(options)
    texts = [repr(option) for option in options]
    return texts if len(set(texts)) == len(texts) else [f"{i}: {text}" for i, text in enumerate(texts)]


def from_optuna_distributions(distributions: Distributions) -> dict[str, Float | Int | Choice]:
    """The space of distributions as those of a trial, under the same names.

        >>> from_optuna_distributions({"rate": FloatDistribution(0.1, 1.0), "width": IntDistribution(16, 48, step=16)})
        {'rate': Float(low=0.1, high=1.0, log=False, shape=()), 'width': Choice(16, 32, 48, ordered=True)}

    Values at steps become a Choice with an order, a single value one without alternatives.
    Raises ValueError for more than 10,000 values at steps, and for integers that `Int` cannot hold.
    """
    return {name: _dimension(name, distribution) for name, distribution in distributions.items()}


def _dimension(name: str, distribution: Any) -> Float | Int | Choice:
    if isinstance(distribution, CategoricalDistribution):
        return Choice(*distribution.choices)
    if distribution.single():
        return Choice(distribution.low)
    if isinstance(distribution, IntDistribution) and distribution.step == 1:
        return Int(distribution.low, distribution.high, log=distribution.log)
    if distribution.step is None:
        return Float(distribution.low, distribution.high, log=distribution.log)
    steps = Coordinate(distribution)
    if steps.count > MOST_OPTIONS:
        raise ValueError(
            f"A parameter with steps may have {MOST_OPTIONS:,} values; {name} has {steps.count:,}. Leave out the step."
        )
    return Choice(*steps.values(), ordered=True)


def to_optuna_study(result: Result, **settings: Any) -> optuna.Study:
    """A study with all trials of a search, for the plots of Optuna and its dashboard.

    Candidates that failed, or broke a constraint, are failed trials. A trial has the parameters of the branches that
    it took; what else is known of it are its user attributes.

    result: of a `search` that kept its archive.
    settings: for `optuna.create_study`, such as `storage` and `study_name`.
    Raises ValueError if the search kept no archive.
    """
    table, domain = result.trials(), codec.domain(result.space)
    found, distributions = dimensions(result.space), to_optuna_distributions(result.space)
    shown = {name: full if (full := f"params.{name}") in table else name for name in found}
    x = bounds.clip(jnp.asarray(result.archive.x))  # type: ignore[union-attr]  # else there is no table
    index, active = jax.device_get((domain.index(x), domain.active(x)))

    def column(name: str, index: np.ndarray) -> list[Any]:
        if isinstance(found[name], Float | Int):
            return table[shown[name]].tolist()
        labels = _options(found[name], distributions[name])
        return [labels[i] for i in index]

    columns = [column(name, index[:, i]) for i, name in enumerate(found)]
    more = {name: table[name].tolist() for name in table if name not in (*shown.values(), "trial", "loss", "seconds")}
    ends = np.cumsum(table["seconds"].astype(float))
    times = [datetime.datetime.now() - datetime.timedelta(seconds=second) for second in ends[-1] - ends]

    def trial(i: int) -> FrozenTrial:
        ok = table["status"][i] == "ok"
        params = {name: column[i] for name, column, here in zip(found, columns, active[i], strict=True) if here}
        frozen = create_trial(
            state=TrialState.COMPLETE if ok else TrialState.FAIL,
            value=float(table["loss"][i]) if ok else None,
            params=params,
            distributions={name: distributions[name] for name in params},
            user_attrs={name: column[i] for name, column in more.items()},
        )
        frozen.datetime_complete = times[i]
        frozen.datetime_start = times[i] - datetime.timedelta(seconds=float(table["seconds"][i]))
        return frozen

    study = optuna.create_study(direction="minimize", **settings)
    study.add_trials([trial(i) for i in range(len(ends))])
    return study


def _options(dimension: Any, distribution: Any) -> Any:
    """What the options of a dimension are called in its distribution, in their order."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    return [min(max(option, distribution.low), distribution.high) for option in dimension.options]  # 0.1 + 0.2 is 0.3
