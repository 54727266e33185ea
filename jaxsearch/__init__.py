"""Search for the best model as one compiled JAX program.

- Spaces: `Float`, `Int`, `Choice` and `Switch` in any pytree; `decode`, `encode`, `describe`, `undescribe`, `sample`,
  `active`.
- Strategies: `RandomSearch`, `LocalSearch`, `GradientSearch`, `PSO`, `GA`, `DE`, `CMAES`, `SepCMAES`, `TPE`, `PBT`;
  around them `Restart`, `Seeded`, `FiniteDifferences`; `choose` and `compare` help to pick one.
- Evaluators: `Vectorized`, `Chunked`, `Sharded`, `Callback` for objectives; `Training`, `Halving`, `Continued` for
  populations of different networks, of the families in `models`; `fit`, `retrain` and `plan` beside them.
- Runners: `minimize`, one compiled program, and `search`, a host loop with limits, checkpoints and records; `relax` for
  cells.
- What comes back: `Result`, `Archive`, `Comparison`, `Relaxed`, `Fitted`.
- The contracts, for parts of your own: `Strategy`, `Evaluator`, `Trainable`, and what they exchange: `Domain`,
  `Candidates`, `Results`.

Beside them stand `jaxsearch.problems`, `jaxsearch.report`, `jaxsearch.testing` and `jaxsearch.adapters`.
"""

from jaxsearch import models
from jaxsearch.core.protocols import Evaluator, Strategy, Trainable
from jaxsearch.core.types import Candidates, Domain, Results
from jaxsearch.evaluators.callback import Callback
from jaxsearch.evaluators.continued import Continued
from jaxsearch.evaluators.fitted import Fitted, fit, retrain
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.plan import Plan, plan
from jaxsearch.evaluators.sharded import Sharded
from jaxsearch.evaluators.training import Training
from jaxsearch.evaluators.vectorized import Chunked, Vectorized
from jaxsearch.runners.archive import Archive
from jaxsearch.runners.automatic import Chosen, choose
from jaxsearch.runners.checkpoint import Checkpoint
from jaxsearch.runners.compare import compare
from jaxsearch.runners.comparison import Comparison
from jaxsearch.runners.events import EventLog, events
from jaxsearch.runners.memory import Memory, memory
from jaxsearch.runners.minimize import minimize
from jaxsearch.runners.relax import Relaxed, relax
from jaxsearch.runners.result import Result
from jaxsearch.runners.search import search
from jaxsearch.spaces.codec import active, decode, domain, encode, sample
from jaxsearch.spaces.describe import describe, undescribe
from jaxsearch.spaces.dimensions import Choice, Float, Int
from jaxsearch.spaces.serialize import from_json, to_json
from jaxsearch.spaces.switch import Selected, Switch
from jaxsearch.strategies import CMAES, DE, GA, PBT, PSO, TPE, GradientSearch, LocalSearch, RandomSearch, SepCMAES
from jaxsearch.strategies.finite_differences import FiniteDifferences
from jaxsearch.strategies.restart import Restart
from jaxsearch.strategies.seeded import Seeded

__all__ = [
    "CMAES",
    "DE",
    "GA",
    "PBT",
    "PSO",
    "TPE",
    "Archive",
    "Callback",
    "Candidates",
    "Checkpoint",
    "Choice",
    "Chosen",
    "Chunked",
    "Comparison",
    "Continued",
    "Domain",
    "Evaluator",
    "EventLog",
    "FiniteDifferences",
    "Fitted",
    "Float",
    "GradientSearch",
    "Halving",
    "Int",
    "LocalSearch",
    "Memory",
    "Plan",
    "RandomSearch",
    "Relaxed",
    "Restart",
    "Result",
    "Results",
    "Seeded",
    "Selected",
    "SepCMAES",
    "Sharded",
    "Strategy",
    "Switch",
    "Trainable",
    "Training",
    "Vectorized",
    "active",
    "choose",
    "compare",
    "decode",
    "describe",
    "domain",
    "encode",
    "events",
    "fit",
    "from_json",
    "memory",
    "minimize",
    "models",
    "plan",
    "relax",
    "retrain",
    "sample",
    "search",
    "to_json",
    "undescribe",
]
