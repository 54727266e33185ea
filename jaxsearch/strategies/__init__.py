"""Search strategies, one file each; `registry` is the list that tests, the command and the documentation read."""

from jaxsearch.strategies.cma_es import CMAES
from jaxsearch.strategies.differential_evolution import DE
from jaxsearch.strategies.genetic_algorithm import GA
from jaxsearch.strategies.gradient_search import GradientSearch
from jaxsearch.strategies.local_search import LocalSearch
from jaxsearch.strategies.particle_swarm import PSO
from jaxsearch.strategies.parzen_estimator import TPE
from jaxsearch.strategies.population_based_training import PBT
from jaxsearch.strategies.random_search import RandomSearch
from jaxsearch.strategies.separable_cma_es import SepCMAES

registry = {
    "random_search": RandomSearch,
    "local_search": LocalSearch,
    "gradient_search": GradientSearch,
    "pso": PSO,
    "ga": GA,
    "de": DE,
    "cmaes": CMAES,
    "sep_cmaes": SepCMAES,
    "tpe": TPE,
    "pbt": PBT,
}
