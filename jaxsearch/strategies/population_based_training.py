"""Population-based training."""

import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random
from jaxsearch.core.bounds import reflect
from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import as_integer, pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class PBTState:
    """What PBT remembers between generations; P members."""

    x: Array  # [P, D]
    loss: Array  # [P]
    generation: Array  # [] int32, generations told
    domain: Domain = static()


@pytree
class PBT:
    """Population-based training: the worst go on as copies of the best, with other hyperparameters.

        origin_i    = a random one of the best ceil(share * P) if i failed or is one of the worst as many, else i
        x_i, copied = reflect(x + step * U[-1, 1]) of its origin, an ordered discrete one to the cell it falls into;
                      each coordinate with probability `resample` anew, uniform in [0, 1)

    For an evaluator that keeps what members have learned, `Continued`: `Candidates.origin` says from which member of
    the generation before a candidate goes on, `Candidates.budget` how many generations it has behind it after this one.
    So the hyperparameters become schedules, which are found in the time of a single training. Categories only change
    anew. A member whose origin failed, too, starts afresh at a uniform point, as all do at first.

    Evaluators without memory see a slow evolution, in which most points are evaluated again.

    population_size: P, at least 2; 20 if None.
    share: in [0, 0.5], that of the population which is replaced, and of that which is copied (truncation selection).
    step: at least 0, in the unit cube. resample: in [0, 1].
    fixed: coordinates that a copy does not change, since what was learned depends on them: the architecture, see
        `Continued.fixed`.
    References: Jaderberg et al., Population Based Training of Neural Networks, arXiv 1711.09846, 2017.
    """

    population_size: int | None = static(default=None)
    fixed: tuple[int, ...] = static(default=())
    share: Scalar = 0.2
    step: Scalar = 0.1
    resample: Scalar = 0.1

    def __post_init__(self):
        check_size(self.population_size, at_least=2)
        if not isinstance(self.fixed, tuple) or any(as_integer(coordinate) is None for coordinate in self.fixed):
            raise ValueError(f"fixed must be a tuple of coordinates; got {self.fixed!r}. See Continued.fixed.")

    def init(self, key: Key, domain: Domain) -> PBTState:
        if not all(0 <= coordinate < domain.size for coordinate in self.fixed):
            raise ValueError(
                f"fixed must name coordinates from 0 to {domain.size - 1}; got {self.fixed}. See Continued.fixed."
            )
        x = uniform(key, self.population_size or 20, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        return PBTState(x, loss, jnp.zeros_like(loss[0], dtype=jnp.int32), domain)

    def ask(self, key: Key, state: PBTState) -> tuple[Candidates, PBTState]:
        count, domain = len(state.x), state.domain
        u = uniform(key, count, domain)
        words = random.bits(key, (2, count), start=u.size)
        origin = self._origin(words[0], state.loss)
        member = jnp.arange(count, dtype=jnp.int32)
        copied = self._changed(u, random.across(words[1], domain.size), state.x[origin], domain)
        x = jnp.where((origin == member)[:, None], state.x, copied)
        # Before the first generation all losses are infinite.
        alive = jnp.isfinite(state.loss[origin])
        x = jnp.where(alive[:, None], x, u)
        origin = jnp.where(alive, origin, -1)
        return Candidates(x, jnp.broadcast_to(state.generation + 1, count), origin), state

    def _origin(self, word: Array, loss: Array) -> Array:
        """`[P]` int32, from which member each goes on; `word` `[P]` uint32 says which of the best."""
        count = len(loss)
        order = jnp.argsort(loss).astype(jnp.int32)  # NaN comes last
        rank = jnp.zeros_like(order).at[order].set(jnp.arange(count, dtype=jnp.int32))
        some = jnp.ceil(self.share * count).astype(jnp.int32)
        leader = order[(word % jnp.maximum(some, 1).astype(jnp.uint32)).astype(jnp.int32)]
        replaced = (rank >= count - some) | (~jnp.isfinite(loss) & (some > 0))
        return jnp.where(replaced, leader, jnp.arange(count, dtype=jnp.int32))

    def _changed(self, u: Array, chance: Array, x: Array, domain: Domain) -> Array:
        """Copies of the points `x` `[P, D]`; `chance` and `u`, in [0, 1), say what is drawn anew, and the rest."""
        moved = reflect(x + (self.step * (2 * u - 1)).astype(x.dtype))
        moved = jnp.where(domain.categorical[None], x, moved)
        keeps = np.isin(np.arange(domain.size), self.fixed)
        return jnp.where(keeps[None], x, jnp.where(chance < self.resample, u, moved))

    def tell(self, state: PBTState, candidates: Candidates, results: Results) -> PBTState:
        results = checked(candidates, results)
        loss = results.loss.astype(state.loss.dtype)
        return PBTState(candidates.x, loss, state.generation + 1, state.domain)
