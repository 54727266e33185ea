import jax

from jaxsearch.evaluators import defaults
from jaxsearch.models import MLP, ConvNet


def test_on_a_cpu_few_candidates_train_at_a_time():
    assert defaults.chunk_size(ConvNet((8, 8, 1), 2), 5) == 1
    assert defaults.chunk_size(MLP(10, 2, max_layers=1, max_width=100), 2) == 49
    assert defaults.chunk_size(MLP(10, 2, max_width=1024), 5) == 1
    assert jax.default_backend() == "cpu"
