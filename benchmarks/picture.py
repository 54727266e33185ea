"""Draws a search as a moving picture, `results/search.svg`, for the README.

    python benchmarks/picture.py

CMA-ES in Rosenbrock's valley: the candidates of every generation, as `record` kept them, over lines of equal loss.
"""

import jax
import jax.numpy as jnp
import numpy as np
from contourpy import contour_generator
from timing import RESULTS

import jaxsearch as js

SPACE = {"x": js.Float(-2.0, 2.0), "y": js.Float(-1.0, 3.0)}
WIDTH, HEIGHT, SECONDS = 640, 320, 20
LEVELS = 10.0 ** np.arange(0, 3.6, 0.5)
STRATEGY, GENERATIONS = js.CMAES(population_size=12), 72
STYLE = """
svg { background: #fff } .line { fill: none; stroke: #9ab } .point { fill: #c2410c; fill-opacity: .85 }
.best { fill: none; stroke: #111; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { svg { background: #0d1117 } .line { stroke: #456 } .best { stroke: #eee } }
"""


def valley(key, params):
    """Rosenbrock's function, lowest at (1, 1)."""
    return 100 * (params["y"] - params["x"] ** 2) ** 2 + (1 - params["x"]) ** 2


def pixels(points: np.ndarray) -> np.ndarray:
    """Where points `[..., 2]` of the unit square are in the picture."""
    return np.stack([points[..., 0] * WIDTH, (1 - points[..., 1]) * HEIGHT], axis=-1)


def lines() -> list[str]:
    """Lines of equal loss."""
    x, y = (np.linspace(0, 1, size) for size in (321, 161))
    grid = jnp.asarray(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    loss = jax.vmap(lambda x: valley(None, js.decode(SPACE, x)))(grid)
    contours = contour_generator(x, y, np.asarray(loss).reshape(len(y), len(x)))
    paths = [
        "L".join(f"{a:.1f} {b:.1f}" for a, b in pixels(line)) for level in LEVELS for line in contours.lines(level)
    ]
    return [f'<path class="line" d="M{path}"/>' for path in paths]


def moving(candidates: np.ndarray) -> list[str]:
    """A point for each candidate `[G, P, 2]`, which goes from generation to generation and begins anew."""
    found = []
    for path in pixels(candidates).swapaxes(0, 1):
        values = {name: ";".join(f"{value:.1f}" for value in path[:, axis]) for axis, name in enumerate(("cx", "cy"))}
        animated = "".join(
            f'<animate attributeName="{name}" values="{value}" dur="{SECONDS}s" repeatCount="indefinite"/>'
            for name, value in values.items()
        )
        found.append(f'<circle class="point" r="4" cx="{path[0, 0]:.1f}" cy="{path[0, 1]:.1f}">{animated}</circle>')
    return found


def main() -> None:
    result = js.minimize(
        valley,
        SPACE,
        STRATEGY,
        key=jax.random.key(4),
        num_generations=GENERATIONS,
        record=lambda generation: generation.candidates.x,
    )
    best = pixels(np.asarray(js.encode(SPACE, {"x": 1.0, "y": 1.0})))
    target = f'<circle class="best" r="9" cx="{best[0]:.1f}" cy="{best[1]:.1f}"/>'
    title = "<title>CMA-ES finds the lowest point of a curved valley</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    parts = [head, title, f"<style>{STYLE}</style>", *lines(), target, *moving(np.asarray(result.history)), "</svg>"]
    (RESULTS / "search.svg").write_text("\n".join(parts) + "\n")
    print(float(result.loss))


if __name__ == "__main__":
    main()
