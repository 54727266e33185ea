"""The BFGS matrix as an optax transformation, and the line search that goes with it."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from jaxsearch.core.types import Array

SUFFICIENT, CURVATURE = 1e-4, 0.9  # the constants c1 and c2 of the weak Wolfe conditions


class BFGSState(NamedTuple):
    """What `scale_by_bfgs` remembers of one chain."""

    inverse: Array  # [D, D] H, the approximate inverse Hessian
    x: Array  # [D] the last point
    gradient: Array  # [D]
    seen: Array  # [] int32, points seen, at most 2 + curvatures learned


def scale_by_bfgs() -> optax.GradientTransformation:
    """Multiplies the gradient `[D]` by the BFGS approximation H of the inverse Hessian, from steps between calls.

        H <- (I - rho s y^T) max(1, s^T y / y^T H y) H (I - rho y s^T) + rho s s^T,  rho = 1/(y^T s),

    skipped unless y^T s > 0. Before the first update H becomes (s^T s / y^T s) I. The factor forgets curvature that was
    learned where the loss is steeper: BFGS alone corrects too small a curvature quickly and too large a one slowly.

    References: Nocedal, Wright, Numerical Optimization, 2006, (6.17), with the longer of the two initial scalings,
    since a line search shortens more cheaply than it lengthens. Al-Baali, Numerical Experience with a Class of
    Self-Scaling Quasi-Newton Algorithms, J. Optim. Theory Appl., 1998 (the factor).
    """

    def init(params: Any) -> BFGSState:
        x = params
        inverse = jnp.eye(len(x), dtype=x.dtype) + jnp.zeros_like(x)[None]
        return BFGSState(inverse, jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x[0], dtype=jnp.int32))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, BFGSState]:
        gradient, x = updates, params
        if x is None:
            raise ValueError("scale_by_bfgs needs the gradient's point; got None. Call update(gradient, state, x).")
        s, y = x - state.x, gradient - state.gradient
        product = jnp.sum(s * y)
        usable = (product > 1e-12 * jnp.linalg.norm(s) * jnp.linalg.norm(y)) & (state.seen > 0)
        product = jnp.where(usable, product, 1)
        identity = jnp.eye(len(x), dtype=x.dtype)
        inverse = jnp.where(state.seen <= 1, identity * jnp.sum(s * s) / product, state.inverse)
        image = inverse @ y
        curvature = jnp.sum(y * image)  # rounding may have made it negative
        factor = jnp.where(curvature > 0, jnp.maximum(1, product / jnp.where(curvature > 0, curvature, 1)), 1)
        scaled, image = factor * inverse, factor * image
        learned = scaled + (1 + jnp.sum(y * image) / product) / product * s[:, None] * s[None]
        learned = learned - (image[:, None] * s[None] + s[:, None] * image[None]) / product
        inverse = jnp.where(usable, learned, state.inverse)
        seen = jnp.where(usable, 2, jnp.maximum(state.seen, 1))
        return inverse @ gradient, BFGSState(inverse, x, gradient, seen)

    return optax.GradientTransformation(init, update)


class LineSearch(NamedTuple):
    """The interval in which every chain looks for its step length."""

    length: Array  # [P] the length to try next, as a multiple of the direction
    lower: Array  # [P] the longest with sufficient decrease and too steep a slope
    upper: Array  # [P] the shortest without sufficient decrease
    trials: Array  # [P] int32, points tried along the direction

    @classmethod
    def start(cls, like: Array) -> "LineSearch":
        """Of chains like `[P]`."""
        zero = jnp.zeros_like(like)
        return cls(zero + 1, zero, zero + jnp.inf, jnp.zeros_like(like, dtype=jnp.int32))

    def next(self, loss: Array, new_loss: Array, slope: Array, new_slope: Array) -> tuple[Array, "LineSearch"]:
        """Whether the tried lengths meet the weak Wolfe conditions, and the search to go on with where not.

        loss, new_loss: `[P]` at the start and at the trial. slope, new_slope: `[P]` derivatives by the length.
        References: Lewis, Overton, Nonsmooth optimization via quasi-Newton methods, Math. Programming, 2013 (the
            bracket); lengths by quadratic interpolation and by the secant of the slopes, kept inside the bracket.
        """
        t, tiny = self.length, jnp.finfo(loss.dtype).tiny
        low_enough = new_loss <= loss + SUFFICIENT * t * slope
        flat_enough = new_slope >= CURVATURE * slope
        lower = jnp.where(low_enough, t, self.lower)
        upper = jnp.where(low_enough, self.upper, t)
        # Divided only where the quotient is of use: elsewhere the divisor may be 0 or NaN, and the
        # gradient would be NaN.
        rise = new_loss - loss - t * slope
        curved = ~low_enough & jnp.isfinite(rise) & (rise > tiny)
        parabola = jnp.where(curved, -slope * t * t / (2 * jnp.where(curved, rise, 1)), 0)
        bend = slope - new_slope
        bent = bend < -tiny
        secant = jnp.where(bent, t * slope / jnp.where(bent, bend, -1), jnp.where(slope < 0, jnp.inf, 0))
        width = upper - lower
        onward = jnp.where(
            jnp.isinf(upper), jnp.clip(secant, 2 * t, 5 * t), lower + jnp.clip(secant - lower, 0.1 * width, 0.9 * width)
        )
        back = lower + jnp.clip(parabola - lower, 0.1 * width, 0.5 * width)
        return low_enough & flat_enough, LineSearch(jnp.where(low_enough, onward, back), lower, upper, self.trials + 1)
