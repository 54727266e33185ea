"""Weights as the space: a small network that has to balance a pole on a cart, or to swing it up first.

References: Barto, Sutton, Anderson, Neuronlike Adaptive Elements That Can Solve Difficult Learning Control Problems,
    IEEE Trans. Syst. Man Cybern., 1983 (the task and its constants). Florian, Correct Equations for the Dynamics of the
    Cart-Pole System, 2007 (without friction).
"""

import jax
import jax.numpy as jnp

from jaxsearch.core.names import check_name
from jaxsearch.core.population import check_count
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key
from jaxsearch.problems.problem import Problem
from jaxsearch.spaces.dimensions import Float

GRAVITY, CART_MASS, POLE_MASS, HALF_LENGTH = 9.8, 1.0, 0.1, 0.5  # m/s^2, kg, kg, m
LARGEST_FORCE, SECONDS_PER_STEP = 10.0, 0.02  # N, s
TRACK, UPRIGHT = 2.4, jnp.pi / 15  # m to either side; 12 degrees
TASKS = {
    "cart_pole": "Keep a pole upright on a cart; over when it falls or the cart leaves its track.",
    "swing_up": "Swing a hanging pole up within half of the time, and keep it upright for the other half.",
}


@pytree
class Task:
    """swing_up: whether the pole hangs at the start. episodes, steps: of an evaluation."""

    swing_up: bool = static()
    episodes: int = static()
    steps: int = static()


def load(name: str = "cart_pole", *, hidden: int = 4, episodes: int = 8, steps: int = 500) -> Problem:
    """One of `TASKS` as a problem whose parameters are all weights of a network, `[hidden, 6]` and `[hidden + 1]`.

        force = 10 tanh(output [tanh(hidden [s, 1]), 1]),  s = (position, velocity, sin angle, cos angle, turning)

    The loss is 1 minus the mean credit of the steps, over episodes that start near rest at a place drawn from the key:
    1 for a pole within 12 degrees of upright, else its height (1 + cos angle) / 2, and 0 from the step on at which the
    cart leaves its track or, in cart_pole, the pole falls. In swing_up only the second half of the steps counts. A loss
    of 0 is solved.

    hidden: units. episodes: in each evaluation. steps: of an episode, 0.02 s each.
    Raises ValueError for an unknown name and for numbers below 1.
    """
    check_name("task", name, TASKS)
    hidden = check_count("hidden", hidden)
    episodes = check_count("episodes", episodes)
    steps = check_count("steps", steps)
    task = Task(name == "swing_up", episodes, steps)
    most = 4 if task.swing_up else 2  # more would let luck balance the pole; less hardly swings it up
    space = {"hidden": Float(-most, most, shape=(hidden, 6)), "output": Float(-most, most, shape=(hidden + 1,))}
    return Problem(space, jax.tree_util.Partial(_loss, task), 0.0)


def _loss(task: Task, key: Key, params: dict[str, Array]) -> Array:
    starts = jax.random.uniform(key, (task.episodes, 4), jnp.result_type(float), -0.05, 0.05)
    if task.swing_up:
        starts = starts.at[:, 2].add(jnp.pi)
    return 1 - jnp.mean(jax.vmap(lambda start: _credit(task, params, start))(starts))


def _credit(task: Task, params: dict[str, Array], start: Array) -> Array:
    """The mean credit of an episode from the state `start` `[4]`, `[]`."""
    first = task.steps // 2 if task.swing_up else 0

    def step(carry: tuple[Array, Array, Array], number: Array) -> tuple[tuple[Array, Array, Array], None]:
        state, going, total = carry
        state = jnp.where(going, move(state, force(params, state)), state)  # else it could grow without bounds
        height = jnp.cos(state[2])
        upright = height >= jnp.cos(UPRIGHT)
        going = going & (jnp.abs(state[0]) <= TRACK) & (upright | task.swing_up)
        credit = jnp.where(upright, 1, (1 + height) / 2)
        return (state, going, total + jnp.where(going & (number >= first), credit, 0)), None

    begin = start, jnp.isfinite(start[0]), jnp.zeros_like(start[0])
    (_, _, total), _ = jax.lax.scan(step, begin, jnp.arange(task.steps))
    return total / (task.steps - first)


def force(params: dict[str, Array], state: Array) -> Array:
    """What the network does in a state `[4]`: a push in N, `[]`, to the right if above 0."""
    position, velocity, angle, turning = state
    inputs = jnp.stack([position, velocity, jnp.sin(angle), jnp.cos(angle), turning, jnp.ones_like(angle)])
    hidden = jnp.tanh(params["hidden"] @ inputs)
    return LARGEST_FORCE * jnp.tanh(params["output"][:-1] @ hidden + params["output"][-1])


def move(state: Array, push: Array) -> Array:
    """The state `[4]` one step later by Euler's method: position (m), velocity, angle (0 is upright) and turning."""
    _, velocity, angle, turning = state
    mass, sine, cosine = CART_MASS + POLE_MASS, jnp.sin(angle), jnp.cos(angle)
    drive = (push + POLE_MASS * HALF_LENGTH * turning**2 * sine) / mass
    spin = (GRAVITY * sine - cosine * drive) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cosine**2 / mass))
    speed = drive - POLE_MASS * HALF_LENGTH * spin * cosine / mass
    return state + SECONDS_PER_STEP * jnp.stack([velocity, speed, turning, spin])
