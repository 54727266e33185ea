"""Which share of the bbob targets does each strategy meet per evaluation, beside other libraries?

    python benchmarks/quality_bbob.py [--instances 15] [--dimensions 5 10 20] [--only NAME ...]

24 functions (package coco-experiment), targets f - f_opt = 10^2 ... 10^-8, 1000 D evaluations, every row of a
population counted, in 64 bits. Our strategies run with their defaults inside `Restart` and see nothing but losses;
DE that knows its `num_generations` runs once. Gradients are forward differences, all evaluations counted: those of
`FiniteDifferences` for GradientSearch, and those of differences.py, which adapt, too, for scipy's L-BFGS-B. Writes
results/quality_bbob.json after every method; a method that is there already for the same instances is not run again.
TPE is left out: it is for a few hundred evaluations; PBT is for trainings that go on.
"""

from pathlib import Path

from peers import PEERS
from peers_evosax import PEERS as EVOSAX
from suites import bbob, main

RESULT = Path(__file__).parent / "results" / "quality_bbob.json"

if __name__ == "__main__":
    main(__doc__, bbob, ("tpe", "pbt"), PEERS | EVOSAX, ("cma", "scipy", "pymoo", "minionpy", "evosax"), RESULT)
