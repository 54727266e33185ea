"""Every candidate of a search, kept on the host."""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, HostArray, PyTree
from jaxsearch.runners.checkpoint import saved_trials
from jaxsearch.runners.files import on_host
from jaxsearch.runners.generation import Generation, as_float
from jaxsearch.spaces import codec
from jaxsearch.spaces.columns import columns


def configurations(space: PyTree, x: HostArray) -> PyTree:
    """The parameters at the points `[N, D]`; those that do not matter, as of branches not taken, are all the same.

    On the host. The points are filled up to a power of two, so that few programs serve every N.
    """
    x = np.asarray(x)
    count = len(x)
    filled = x[np.minimum(np.arange(1 << max(count - 1, 0).bit_length()), count - 1)] if count else x
    params = jax.device_get(_configurations(jax.tree.map(as_float, space), filled))
    return jax.tree.map(lambda leaf: leaf[:count], params)


@jax.jit
def _configurations(space: PyTree, x: Array) -> PyTree:
    active = jax.vmap(codec.active, in_axes=(None, 0))(space, x)
    return jax.vmap(codec.decode, in_axes=(None, 0))(space, jnp.where(active, x, 0))


class Archive(NamedTuple):
    """What `search` evaluated, in this order: N candidates, NumPy arrays.

    generation: `[N]` int32, from 1. x: `[N, D]`, the points of the unit cube. loss: `[N]`, +inf for those that failed
        and those beyond a constraint; of a `Callback` doubles. violation, budget, origin: `[N]`, or None, as in
        `Results` and `Candidates`.
    aux: what the evaluator adds, with leading axis N; of random keys their data.
    seconds: `[N]`, each candidate's share of the time that its generation took. All else is the same for the same key.
    adjusted_loss: `[N]`, or None, as in `Results`: what candidates are compared by, never what was measured.
    """

    generation: HostArray
    x: HostArray
    loss: HostArray
    violation: HostArray | None = None
    budget: HostArray | None = None
    origin: HostArray | None = None
    aux: PyTree = None
    seconds: HostArray | None = None
    adjusted_loss: HostArray | None = None

    @property
    def compared(self) -> HostArray:
        """`[N]`, what the trials are compared by: the best is the first with the lowest."""
        return self.loss if self.adjusted_loss is None else self.adjusted_loss

    @property
    def status(self) -> np.ndarray:
        """`[N]` of "ok", "failed" and "infeasible"."""
        feasible = np.full(len(self.loss), True) if self.violation is None else self.violation <= 0
        return np.where(np.isfinite(self.loss), "ok", np.where(feasible, "failed", "infeasible"))

    def duplicate_of(self, space: PyTree) -> np.ndarray:
        """`[N]` int64, the first trial with the same configuration; -1 for one that has not been tried before.

        A trial that goes on from another, as under `PBT`, is no duplicate.
        """
        count, leaves = len(self.loss), jax.tree.leaves(configurations(space, self.x))
        flat = [np.ascontiguousarray(leaf).reshape(count, math.prod(leaf.shape[1:])) for leaf in leaves]
        rows = np.concatenate([part.view(np.uint8) for part in flat], axis=1)
        seen: dict[bytes, int] = {}
        first = np.array([seen.setdefault(row.tobytes(), number) for number, row in enumerate(rows)], np.int64)
        new = first == np.arange(count)
        return np.where(new if self.origin is None else new | (np.asarray(self.origin) >= 0), -1, first)

    def table(self, space: PyTree) -> dict[str, np.ndarray]:
        """The trials as columns `[N]`: trial, generation, status, loss, the parameters, and what else is known.

        The parameters are named as in `spaces.columns`, with `params.` before a name that another column has, such as
        `loss`. Numbers that the evaluator adds follow under their names, those with a further axis with an index in
        brackets, e.g. `folds[0]`. A DataFrame of pandas takes the dict.
        """
        table = {"trial": np.arange(len(self.loss)), "generation": self.generation, "status": self.status}
        table |= {"loss": self.loss}
        more = {name: getattr(self, name) for name in ("adjusted_loss", "violation", "budget", "origin")}
        more |= self.aux if isinstance(self.aux, dict) else {"aux": self.aux}
        others: dict[str, np.ndarray] = {}
        for name, value in (more | {"seconds": self.seconds}).items():
            for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]:
                full = name + jax.tree_util.keystr(path)
                if leaf.ndim == 1:
                    others[full] = leaf
                elif leaf.ndim == 2:
                    others |= {f"{full}[{i}]": leaf[:, i] for i in range(leaf.shape[1])}
        params = columns(space, configurations(space, self.x))
        table |= {f"params.{name}" if name in table or name in others else name: params[name] for name in params}
        return table | others


def rows(generation: Generation) -> Archive:
    """The candidates of a generation, on the device, without what only the host knows."""
    candidates, results = generation.candidates, generation.results
    unknown: Any = None
    return Archive(
        unknown,
        candidates.x,
        results.loss,
        results.violation,
        candidates.budget,
        candidates.origin,
        results.aux,
        adjusted_loss=results.adjusted_loss,
    )


def archived(generation: Generation, number: int, seconds: float) -> Archive:
    """The candidates of the generation with this number, which took so many seconds."""
    found = jax.tree.map(on_host, rows(generation))
    count = len(found.loss)
    if generation.results.remainder is not None:
        found = found._replace(loss=found.loss.astype(np.float64) + on_host(generation.results.remainder))
    return found._replace(
        generation=np.full(count, number, np.int32), seconds=np.full(count, seconds / count, np.float32)
    )


def joined(parts: list[Archive]) -> Archive:
    """Archives one after the other."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def restored(directory: Path) -> Archive:
    """The archive of a search that saved itself in the directory, see `Checkpoint`; `aux` is a dict of arrays.

    Raises ValueError if there is none, or a file is damaged.
    """
    found = saved_trials(directory)
    # Named as in `table`: the keys of a dict without brackets, anything below or else with them.
    matches = {name: re.fullmatch(r"\.aux(?:\['(.*?)'\])?(.*)", name) for name in found}
    aux = {(match[1] or "aux") + match[2]: found[name] for name, match in matches.items() if match}
    fields: dict[str, Any] = {name: found.get(f".{name}") for name in Archive._fields}
    fields["aux"] = aux or None
    return Archive(**fields)
