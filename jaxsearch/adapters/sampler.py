"""Any strategy as a sampler of Optuna."""

import threading
import weakref
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from jaxsearch.adapters.asked import Asked
from jaxsearch.adapters.distributions import Coordinate, Distributions
from jaxsearch.adapters.groups import Group, Groups
from jaxsearch.core.names import check_name
from jaxsearch.core.protocols import Strategy
from jaxsearch.core.pytree import as_integer
from jaxsearch.strategies import registry
from jaxsearch.strategies.seeded import Seeded

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class JaxSearchSampler(BaseSampler):
    """Lets a strategy of jaxsearch propose the parameters of an Optuna study.

        >>> study = optuna.create_study(sampler=JaxSearchSampler(js.CMAES(), seed=0))
        >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=40)
        >>> study.best_value < 1e-3
        True

    Parameters that always occur together are searched together, each such group by a strategy of its own, so that the
    branches of a conditional space do not disturb each other. A parameter that no trial has had yet, or whose range
    has just changed or does so again and again, is drawn at random. Trials that the sampler did not propose (enqueued,
    added, of another process or an earlier session) are learned from, too: with the same seed, a study that is loaded
    goes on as if it had never stopped. With `n_jobs`, or several processes, no trial waits for another; use a strategy
    with `population_size` of at least the number of workers. A trial that failed counts as worst, one that was pruned
    by its last value. Values are told apart as doubles, also those that float32 would round to the same.

    strategy: any strategy, or the name of one. One that needs gradients gets them from finite differences, an
        additional trial for each continuous parameter; it learns from its own trials only, and with more workers than
        these, some try the same.
    seed: of all random draws; None for a different one each time.
    Raises ValueError for a name that is unknown, for `Seeded`, a seed below 0, and for studies with several objectives.
    """

    def __init__(self, strategy: Strategy | str = "tpe", *, seed: int | None = None):
        if isinstance(strategy, str):
            check_name("strategy", strategy, registry)
            strategy = registry[strategy]()
        if isinstance(strategy, type) or not isinstance(strategy, Strategy):
            raise ValueError(f"strategy must have init, ask and tell; got {strategy!r}. Use e.g. js.CMAES().")
        if any(isinstance(node, Seeded) for node in jax.tree.leaves(strategy, is_leaf=lambda n: isinstance(n, Seeded))):
            raise ValueError("Seeded has points in the order of a space, which studies lack. Use study.enqueue_trial.")
        number = 0 if seed is None else as_integer(seed)
        if number is None or not 0 <= number < 2**32:
            raise ValueError(f"seed must be an integer in 0..2**32-1; got {seed!r}. Leave it out for a random one.")
        self._strategy: Any = strategy
        self._seed = _new_seed() if seed is None else number
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._studies: Any = weakref.WeakKeyDictionary()  # by the storage, then by the number in it

    def __getstate__(self) -> dict[str, Any]:
        return {"_strategy": self._strategy, "_seed": self._seed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._strategy, self._seed = state["_strategy"], state["_seed"]
        self._forget()  # the trials of a study tell all that was forgotten

    def reseed_rng(self) -> None:
        with self._lock:
            self._seed = _new_seed()
            for known in [known for studies in self._studies.values() for known in studies.values()]:
                known.reseed(self._seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        with self._lock:
            known = self._known(study)
            known.read(study, trial.number)
            return known.groups.together()

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        with self._lock:
            return self._known(study).propose(trial.number, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        self._known(study)  # which refuses several objectives
        # Drawn from what names the draw, not from a stream, so that a study that is loaded goes on with the same.
        rng = np.random.default_rng([self._seed, trial.number, zlib.crc32(param_name.encode())])
        return Coordinate(param_distribution).value(rng.random())

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        with self._lock:
            self._known(study).learn(trial, state, values)

    def _known(self, study: Study) -> "_Known":
        with self._lock:
            studies = self._studies.setdefault(study._storage, {})
            if study._study_id not in studies:
                self._raise_error_if_multi_objective(study)
                sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
                studies[study._study_id] = _Known(self._strategy, self._seed, sign)
            return studies[study._study_id]


def _new_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


class _Ended(NamedTuple):
    """A trial that is over."""

    params: Mapping[str, Any]
    distributions: Distributions
    loss: float
    failed: bool


class _Known:
    """What the sampler knows of one study; sign: 1 for one that minimizes, else -1."""

    def __init__(self, strategy: Strategy, seed: int, sign: int):
        self.strategy, self.seed, self.sign = strategy, seed, sign
        self.groups = Groups()
        self.searches: dict[Group, Asked] = {}
        self.log: dict[int, _Ended] = {}

    def reseed(self, seed: int) -> None:
        self.seed = seed
        for group, search in self.searches.items():
            search.key = self._key(group)

    def _key(self, group: Group) -> Any:
        # Of the names alone: the text of an option may have an address in it, which no other session has.
        names = repr([name for name, _ in group])
        return jax.random.fold_in(jax.random.key(self.seed), zlib.crc32(names.encode()))

    def read(self, study: Study, number: int) -> None:
        """Looks, for the trial with this number, whether earlier ones ended that did not end here."""
        if len(self.log) < number:
            for trial in study.get_trials(deepcopy=False, states=FINISHED):
                if trial.number not in self.log:
                    self.learn(trial, trial.state, trial.values)

    def learn(self, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """What came of a trial; of one that was pruned its last value, if it had any."""
        loss = self.sign * float(values[0]) if values else np.inf
        distributions = self.groups.known(trial.distributions)
        ended = self.log[trial.number] = _Ended(trial.params, distributions, loss, state == TrialState.FAIL)
        if state == TrialState.COMPLETE:
            self.groups.add(distributions)
        for group, search in self.searches.items():
            self._tell(group, search, trial.number, ended)

    def propose(self, number: int, search_space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
        """The parameters that the trial with this number shall try."""
        params: dict[str, Any] = {}
        for group in self.groups.split(search_space):
            if group not in self.searches:
                search = self.searches[group] = Asked(self.strategy, dict(group), self._key(group))
                for past, ended in sorted(self.log.items()):
                    self._tell(group, search, past, ended)
            params |= self.searches[group].propose(number)
        return params

    def _tell(self, group: Group, search: Asked, number: int, ended: _Ended) -> None:
        found = [ended.distributions.get(name) for name, _ in group]
        here = [one is other or one == other for one, (_, other) in zip(found, group, strict=True)]
        if all(here) or (any(here) and ended.failed):
            search.learn(number, ended.params, ended.loss)
        else:
            search.give_back(number)
