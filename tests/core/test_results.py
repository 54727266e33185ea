import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core.results import checked

POINTS = js.Candidates(jnp.full((4, 2), 0.5))
GOOD = jnp.arange(4.0)


@pytest.mark.parametrize(
    "loss", [GOOD, np.arange(4), jnp.arange(4) > 1, [0, 1.5, 2, 3], GOOD.astype(jnp.bfloat16), np.arange(4.0)]
)
def test_real_losses_become_floats(loss):
    found = checked(POINTS, js.Results(loss))
    assert found.loss.dtype == jnp.result_type(float)
    np.testing.assert_array_equal(found.loss, np.asarray(loss, float))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("loss", value) for value in (GOOD[0], 1.0, GOOD[:1], GOOD[:, None], jnp.arange(5.0), GOOD * 1j, "abcd")),
        *(("grad", value) for value in (GOOD, jnp.ones((2, 4)), jnp.ones((4, 2)) * 1j)),
        *(
            (name, value)
            for name in ("violation", "remainder", "adjusted_loss")
            for value in (GOOD[0], GOOD[:, None], GOOD[:3])
        ),
    ],
)
def test_other_shapes_and_kinds_are_refused(name, value):
    results = js.Results(GOOD)._replace(**{name: value})
    with pytest.raises(ValueError, match=rf"results\.{name} must be real.*of shape \[4.*; got .*\. Evaluate every"):
        checked(POINTS, results)


def test_a_single_point_is_no_population():
    with pytest.raises(ValueError, match=r"candidates\.x needs shape \[P, D\].*got \(2,\)"):
        checked(js.Candidates(jnp.full(2, 0.5)), js.Results(GOOD))
