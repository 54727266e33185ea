"""Search strategies, one file each; `registry` is the list that tests, the command and the documentation read."""

from jaxsearch.strategies.genetic_algorithm import GA
from jaxsearch.strategies.gradient_search import GradientSearch
from jaxsearch.strategies.local_search import LocalSearch
from jaxsearch.strategies.particle_swarm import PSO
from jaxsearch.strategies.random_search import RandomSearch

registry = {
    "random_search": RandomSearch,
    "local_search": LocalSearch,
    "gradient_search": GradientSearch,
    "pso": PSO,
    "ga": GA,
}
