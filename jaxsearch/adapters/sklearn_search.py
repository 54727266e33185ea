"""A search over the parameters of any estimator of scikit-learn."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import get_tags

from jaxsearch.adapters.sklearn_arguments import count_of, key_of, strategy_of
from jaxsearch.core.types import Array, PyTree, Results
from jaxsearch.runners.archive import configurations
from jaxsearch.runners.generation import ask, start, strong, tell
from jaxsearch.spaces.describe import describe
from jaxsearch.spaces.dimensions import Dimension
from jaxsearch.spaces.switch import Switch

GENERATIONS = 8  # or more: a fit is dear, and a generation learns from those before it
IDLE = 20  # generations without a new candidate, after which a strategy has converged

_start, _ask, _tell = jax.jit(start), jax.jit(ask), jax.jit(tell)


class JaxSearchCV(BaseSearchCV):
    """Searches the parameters of an estimator by cross-validation, as one of scikit-learn's own searches.

    All attributes and methods are those of `RandomizedSearchCV`. A strategy proposes the candidates, a generation at a
    time, and learns from their scores; the fits of a generation are spread over `n_jobs` processes. No candidate is
    fitted twice, and all meet the same folds.

        >>> from sklearn.linear_model import Ridge
        >>> x = np.random.default_rng(0).normal(size=(30, 2))
        >>> space = {"alpha": js.Float(1e-3, 1e3, log=True), "fit_intercept": js.Choice(False, True)}
        >>> found = JaxSearchCV(Ridge(), space, max_evaluations=8, random_state=0).fit(x, x[:, 0] + 5)
        >>> found.best_params_["fit_intercept"], len(found.cv_results_["params"])
        (True, 8)

    estimator: what is fitted.
    space: a dict from names of parameters to dimensions. Of a `Switch` the name of the branch is the value of the
        parameter, and the parameters of the branch stand beside it: `{"C": 1.0, "kernel": "rbf", "gamma": 0.1}`.
    strategy: a name, "auto" for one that fits the space and the budget, or a strategy.
    max_evaluations: the most candidates to be fitted, at least 1; fewer if the space has no more.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score, return_train_score: as in `RandomizedSearchCV`. Of
        several scores the search follows the one that `refit` names.
    random_state: an integer, a `RandomState`, or None for another search each time.

    A generation whose fits all fail counts as failed, with a warning, and has no rows in `cv_results_`. If no fit ever
    succeeds, or for a space, a strategy or a budget that cannot work, `fit` raises ValueError.
    """

    def __init__(
        self,
        estimator,
        space,
        strategy="auto",
        *,
        max_evaluations=32,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.strategy = strategy
        self.max_evaluations = max_evaluations
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = get_tags(self.estimator).target_tags.multi_output
        return tags

    def _run_search(self, evaluate_candidates: Callable) -> None:  # type: ignore[override]
        # Not `search` with a Callback: what JAX calls back runs in a thread of its own, where scikit-learn's
        # configuration is another, and must not wait for JAX, as the estimator may.
        _check_space(self.space)
        if isinstance(self.scoring, list | tuple | set | dict) and not isinstance(self.refit, str):
            raise ValueError(_one_score(self.refit))
        budget = count_of("max_evaluations", self.max_evaluations)
        space, strategy = strong((self.space, strategy_of(self.strategy, self.space, budget, GENERATIONS)))
        losses, idle = _Losses(evaluate_candidates, self.cv, self.refit), 0
        progress = _start(key_of(self.random_state), strategy, None, space)
        while len(losses.found) < budget and idle < IDLE and not progress.exhausted:
            candidates, _, progress = _ask(progress, strategy)
            proposed = _proposed(space, candidates.x)
            new = {code: params for code, params in proposed if code not in losses.found}
            new = dict(list(new.items())[: budget - len(losses.found)])
            losses.add(new)
            idle = 0 if new else idle + 1
            loss = np.array([losses.found.get(code, np.inf) for code, _ in proposed], candidates.x.dtype)
            progress, _ = _tell(progress, strategy, space, candidates, Results(loss))
        if losses.failure and not losses.succeeded:
            raise losses.failure


class _Losses:
    """The losses of the candidates that were fitted; all candidates meet the same folds.

    found: by the candidates' bits. succeeded: whether any fit did. failure: of the last generation that failed.
    """

    def __init__(self, evaluate_candidates: Callable, cv: Any, refit: Any):
        self.evaluate_candidates, self.refit = evaluate_candidates, refit
        self.found: dict[bytes, float] = {}
        self.succeeded, self.failure = False, None
        self.cv = _SameSplits(cv) if hasattr(cv, "split") else None  # any other has the same folds each time

    def add(self, new: dict[bytes, dict[str, Any]]) -> None:
        """Fits new candidates."""
        if not new:
            return
        try:
            results = self.evaluate_candidates(list(new.values()), cv=self.cv)
        except ValueError as error:
            if "fits failed" not in str(error):  # the words of scikit-learn where none of a call succeeded
                raise
            warnings.warn(str(error), FitFailedWarning, stacklevel=2)
            self.failure, losses = error, np.full(len(new), np.inf)
        else:
            name = self.refit if f"mean_test_{self.refit}" in results else "score"
            if f"mean_test_{name}" not in results:
                raise ValueError(_one_score(self.refit))
            self.succeeded, losses = True, -results[f"mean_test_{name}"][-len(new) :]
        self.found |= dict(zip(new, losses.tolist(), strict=True))


class _SameSplits:
    """The first splits of a splitter, which may give others every time."""

    def __init__(self, splitter: Any):
        self.splitter, self.splits = splitter, None

    def split(self, *data: Any, **params: Any) -> list:
        if self.splits is None:
            self.splits = list(self.splitter.split(*data, **params))
        return self.splits


def _one_score(refit: Any) -> str:
    return f"A search follows one of several scores; got refit={refit!r}. Name it, e.g. refit='accuracy'."


def _check_space(space: Any, taken: frozenset[str] = frozenset()) -> None:
    """Raises ValueError for anything but dimensions by name, and for a name that is `taken` outside of a branch."""
    if not isinstance(space, dict) or not (space or taken):
        raise ValueError(f"A space must be a dict of dimensions; got {space!r}. Write e.g. {{'C': Float(0.1, 10)}}.")
    for name, dimension in space.items():
        if not isinstance(name, str) or not isinstance(dimension, Dimension):
            raise ValueError(
                f"A parameter needs a Float, Int, Choice or Switch; {name!r} has {dimension!r}. Use Choice(...)."
            )
        if name in taken:
            raise ValueError(f"A parameter may stand in a branch or outside of it; {name} does both. Leave one out.")
    taken = taken | frozenset(space)
    for switch in (dimension for dimension in space.values() if isinstance(dimension, Switch)):
        for branch in switch.branches.values():
            _check_space(branch, taken)


def _proposed(space: PyTree, x: Array) -> list[tuple[bytes, dict[str, Any]]]:
    """The candidates `x` `[P, D]`: their bits, equal for the same configuration, and their parameters."""
    params = jax.device_get(configurations(space, x))
    rows = [jax.tree.map(lambda leaf, row=row: leaf[row], params) for row in range(len(x))]
    codes = [b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(row)) for row in rows]
    return [(code, _beside(space, describe(space, row))) for code, row in zip(codes, rows, strict=True)]


def _beside(space: PyTree, plain: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an estimator, with those of the branches taken among them."""
    found = {}
    for name, value in plain.items():
        if isinstance(space[name], Switch):
            ((branch, inner),) = value.items()
            found |= {name: branch} | _beside(space[name].branches[branch], inner)
        else:
            found[name] = value
    return found
