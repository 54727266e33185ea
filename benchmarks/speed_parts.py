"""The generated parts of benchmarks/README.md that tell of time and memory."""

from collections.abc import Callable, Iterable

from devices import BASELINE
from markdown_tables import load, measured, number, product, quartiles, table

RUNS_TARGETS, TABLES_TARGET = {"1024": 500}, 1000  # times a loop over the peers, by the number of runs; and on a table


def against_evosax() -> str:
    """Times per generation beside evosax's, and the first call."""
    result = load("against_evosax")
    rows = [
        [
            f"{name}, {case['population']:,} x {case['dimension']}",
            *(quartiles(case[side]) for side in ("ours", "evosax")),
            f"{number(case['ratio'])} ({number(case['target'])})",
            " / ".join(f"{case[side]['first']:.2f}" for side in ("ours", "evosax")),
        ]
        for name, cases in result["pairs"].items()
        for case in cases
    ]
    caption = f"{measured(result['about'], 'evosax')}; medians (quartiles) of microseconds per generation.\n\n"
    columns = ["population x dimensions", "jaxsearch", "evosax", "ratio (target)", "first call, s"]
    return caption + table(columns, rows)


def against_numpy() -> str:
    """Times per generation beside libraries that run in numpy, and the ratios."""
    result = load("against_numpy")
    sizes, columns = result["sizes"].values(), [product(size) for size in result["sizes"]]

    def cell(one: dict, found: dict, side: str, text: Callable[[dict], str]) -> str:
        return text(found[side]) if side in found else f"not run: {number(one['not_run_gigabytes'][side])} GB"

    def both(by_bits: dict) -> str:
        return " / ".join(quartiles(found, 3) for found in by_bits.values())

    sides = dict.fromkeys(side for one in sizes for side in (*one["microseconds"], *one["not_run_gigabytes"]))
    times = [[side, *(cell(one, one["microseconds"], side, quartiles) for one in sizes)] for side in sides]
    pairs = dict.fromkeys((name, peer) for one in sizes for name, peers in one["ratios"].items() for peer in peers)
    ratios = [[name, peer, *(cell(one, one["ratios"][name], peer, both) for one in sizes)] for name, peer in pairs]
    caption = (
        f"{measured(result['about'], 'pymoo', 'pyswarms', 'scipy', 'deap')}; medians (quartiles) of at most "
        f"{result['rounds']} rounds, in microseconds per generation.\n\n"
    )
    between = "\n\nThe peer's time over ours in 32 bits / over ours in 64 bits:\n\n"
    return caption + table(["side", *columns], times) + between + table(["strategy", "peer", *columns], ratios)


def many_runs() -> str:
    """Runs per second in one program, beside loops over runs of other libraries."""
    result, rows = load("many_runs", "runs"), []
    for name, counts in result["ours"].items():
        for count, found in counts.items():
            ratios = ", ".join(f"{number(ratio)} x {peer}" for peer, ratio in found["ratios"].items())
            ratios += f" ({number(RUNS_TARGETS[count])})" if count in RUNS_TARGETS else ""
            speed = quartiles(found, 3), number(found["runs_per_second"])
            rows.append([name, f"{int(count):,}", *speed, ratios, number(found["loss"])])
    for peer, found in result["peers"].items():
        rows.append([peer, "1", quartiles(found, 3), number(1 / found["median"]), "", number(found["loss"])])
    caption = (
        f"{measured(result['about'], 'pymoo', 'pyswarms', 'scipy', 'cma')}; medians (quartiles) of {result['rounds']} "
        f"rounds. Rastrigin in {result['dimension']}-D, a population of {result['population']}, "
        f"{result['generations']} generations.\n\n"
    )
    columns = ["method", "runs", "seconds", "runs per second", "ratio to a loop (target)", "median loss"]
    return caption + table(columns, rows)


def many_runs_target() -> str:
    """What stopping at a target costs a batch of runs."""
    result, rows = load("many_runs", "target"), []
    for problem, by_strategy in result["problems"].items():
        for name, found in by_strategy.items():
            low, median, high, slowest = found["generations"][1:]
            generations = quartiles({"median": median, "low": low, "high": high}), number(slowest, 4)
            seconds = [quartiles(found["seconds"][side], 3) for side in ("with", "without")]
            ratios = [number(found[ratio]) for ratio in ("ratio", "slowest_over_mean", "cost_of_masking")]
            met = f"{100 * found['met']:.0f} %"
            rows.append([f"{name}, {problem} to {number(found['target'])}", met, *generations, *seconds, *ratios])
    caption = (
        f"{measured(result['about'])}; medians (quartiles), of {result['rounds']} rounds or of {result['batch']} runs. "
        f"At most {result['limit']} generations.\n\n"
    )
    columns = ["strategy and target", "met", "generations", "slowest run", "seconds with target", "seconds without"]
    return caption + table([*columns, "ratio", "slowest / mean", "ratio of a generation"], rows)


def many_runs_tables() -> str:
    """Seconds of all repeats on a table in one program, beside a loop over studies of Optuna."""
    result = load("many_runs", "tables")
    peers, rows = result["peers"], []
    for name, found in result["ours"].items():
        ratios = [f"{number(found['ratios'][peer])} ({number(TABLES_TARGET)})" for peer in peers]
        rows.append([name, f"{result['repeats']:,}", quartiles(found, 3), *ratios])
    rows += [[peer, "1", quartiles(found, 3), *("" for _ in peers)] for peer, found in peers.items()]
    caption = (
        f"{measured(result['about'], 'optuna')}; medians (quartiles) of {result['rounds']} rounds. {result['table']}, "
        f"{result['evaluations']} evaluations a run.\n\n"
    )
    columns = ["method", "runs", "seconds", *(f"ratio to a loop over {peer} (target)" for peer in peers)]
    return caption + table(columns, rows)


def memory() -> str:
    """Peaks as multiples of the population, and what processes really took."""
    analysis, processes = load("memory", "analysis"), load("memory", "measured")["found"]

    def smallest_middle_largest(values: Iterable[int]) -> tuple[int, int, int]:
        values = sorted(set(values))
        return values[0], values[len(values) // 2], values[-1]

    populations, dimensions = zip(*(size.split("x") for size in next(iter(analysis["found"].values()))), strict=True)
    axes = (smallest_middle_largest(map(int, axis)) for axis in (populations, dimensions))
    sizes = [f"{population}x{dimension}" for population, dimension in zip(*axes, strict=True)]
    rows = []
    for name, found in analysis["found"].items():
        ran = processes.get(name)
        beside = (product(ran["size"]), quartiles(ran["ratio"], 3)) if ran else ("", "")
        rows.append([name, *(number(found[size]["populations"]) for size in sizes), *beside])
    columns = ["strategy", *map(product, sizes), "run at", "measured / said (quartiles)"]
    return f"{measured(analysis['about'])}; peaks in arrays of N x D.\n\n" + table(columns, rows)


def memory_largest() -> str:
    """The largest populations that fit in the memory."""
    result = load("memory", "largest")
    found = result["found"]
    rows = [
        [
            name,
            f"{one['population']:,}",
            *(f"{one[part] / 1e9:.2f}" for part in ("said", "grown", "process")),
            number(one["seconds_per_generation"]),
        ]
        for name, one in found["strategies"].items()
    ]
    caption = (
        f"{measured(result['about'])}; {number(found['room'])} GB for the process, {found['coordinates']:,} "
        f"coordinates, {found['generations']} generations.\n\n"
    )
    columns = ["strategy", "population", "said, GB", "measured, GB", "process, GB", "seconds per generation"]
    return caption + table(columns, rows)


def devices() -> str:
    """Speedups of one search on several devices of a CPU, and how many cores were busy."""
    result, rows = load("devices"), []
    for name, case in result["cases"].items():
        *words, size = name.split(", ")
        sides = dict(case["sides"])
        baseline = sides.pop(BASELINE)
        speedups = [f"{number(found['speedup'])} ({number(found['cores'], 2)})" for found in sides.values()]
        rows.append([", ".join([*words, product(size)]), quartiles(baseline), number(baseline["cores"], 2), *speedups])
    caption = (
        f"{measured(result['about'])}; medians (quartiles) of {result['rounds']} rounds. {BASELINE}: milliseconds per "
        "generation, and busy cores. The others: speedup over it (busy cores).\n\n"
    )
    return caption + table(["case", BASELINE, "cores", *sides], rows)


def days(strategies: dict) -> str:
    """When strategies were measured, and on what."""
    abouts = [known["about"] for known in strategies.values()]
    first, last = min(about["date"] for about in abouts), max(about["date"] for about in abouts)
    date = first if first == last else f"{first} to {last}"
    return f"{date}, {abouts[-1]['cores']} cores, jax {abouts[-1]['versions']['jax']}"


def overhead() -> str:
    """Microseconds per generation as N and D grow, beside the floor, and the pictures that plots.py draws."""
    result = load("overhead")
    strategies, parts, apart = result["strategies"], [], []
    for axis, symbol in (("population", "N"), ("dimension", "D")):
        sizes = sorted({row[axis] for known in strategies.values() for row in known[axis]["rows"]})
        rows = []
        for name, known in strategies.items():
            found = {row[axis]: row for row in known[axis]["rows"]}
            apart += [(row["ours"]["high"] - row["ours"]["low"]) / row["ours"]["median"] for row in found.values()]
            times = [
                f"{number(found[size]['ours']['median'])} ({number(found[size]['ratio'])})"
                if size in found
                else "not run"
                for size in sizes
            ]
            worst, step = known[axis].get("growth"), "not known"
            if worst:
                small, large = (known[axis]["rows"][index][axis] for index in worst["rows"])
                past = "".join(f", past {level}" for level in worst["passed"])
                step = f"{worst['factor']:.2f} ({small:,} to {large:,}{past})"
            rows.append([name, *times, step])
        columns = [f"{symbol} = {size:,}" for size in sizes]
        parts.append(table(["strategy", *columns, "worst growth"], rows))
        parts.append(f"![time of a generation against {symbol}](results/overhead_{axis}.svg)")
    sizes = ", ".join(f"{level} {size // 1024:,} KiB" for level, size in result["caches"].items()) or "not known"
    caption = (
        f"{days(strategies)}; caches: {sizes}. Medians of microseconds per generation (times the floor); the quartiles "
        f"are at most {100 * max(apart):.0f} % of the median apart. Growth counts from {result['counted']:,} elements "
        f"on; the target is at most {result['target']:g}. Where it is past L2 or L3, the strategy's state fits into "
        "that cache at the smaller size only."
    )
    return "\n\n".join([caption, *parts])


def optuna_overhead() -> str:
    """What a strategy costs as a sampler of Optuna, beside Optuna's own."""
    result = load("optuna_overhead")
    rows = []
    for name, found in result["strategies"].items():
        times, ratios, first = found["times"], found["ratios"], found["first_ratios"]
        each = [quartiles({key: 1000 * times[side][key] for key in ("median", "low", "high")}, 3) for side in times]
        of_ours = [f"x{number(ratios[side])}" for side in ratios] + [f"x{number(first[side])}" for side in first]
        rows.append([name, *each, *of_ours])
    caption = (
        f"{measured(result['about'], 'optuna')}; {result['trials']:,} trials of 5 parameters, milliseconds for a whole "
        f"study, medians of {result['rounds']} (quartiles). Targets: x{result['targets']['TPESampler']:g} of "
        f"TPESampler, x{result['targets']['RandomSampler']:g} of RandomSampler. The last two columns are the first "
        "study of a process, which compiles, over later ones with Optuna's samplers.\n\n"
    )
    sides = ["ours", "RandomSampler", "TPESampler", "ours / TPESampler", "ours / RandomSampler"]
    return caption + table(["strategy", *sides, "first / TPESampler", "first / RandomSampler"], rows)


def compile_time() -> str:
    """The first and the next search of a process, and what of them is compiling."""
    result = load("compile_time")
    strategies = result["strategies"]

    def stages(side: dict) -> str:
        return " / ".join(f"{side[stage]['median']:.2f}" for stage in ("trace", "lower", "compile"))

    rows = []
    for name, known in strategies.items():
        cold, cached, peer = known["cold"], known["cached"], known.get("evosax")
        following = max(cold["next_compilations"], cached["next_compilations"])
        rows.append(
            [
                name,
                quartiles(cold["first"], 3),
                stages(cold),
                quartiles(cached["first"], 3),
                quartiles({name: 1000 * value for name, value in cold["next"].items()}, 3),
                f"{cold['compilations']} / {cached['compilations']} / {following}",
                quartiles(peer["first"], 3) if peer else "-",
                stages(peer) if peer else "-",
                f"{known['ratio']:.3g}" if peer else "-",
            ]
        )
    evosax = next(iter(strategies.values()))["about"]["versions"]["evosax"]
    caption = (
        f"{days(strategies)}, evosax {evosax}; {result['dimension']}-D, {result['generations']} generations; medians "
        "(quartiles) over fresh processes. Compilations: of the first call, of the first call with the cache, of the "
        "next call.\n\n"
    )
    first = ["first call, s", "trace / lower / compile, s"]
    columns = ["strategy", *first, "first call, cached, s", "next call, ms", "compilations"]
    return caption + table([*columns, *(f"evosax, {column}" for column in first), "ratio"], rows)


PARTS = {
    "against_evosax": against_evosax,
    "overhead": overhead,
    "optuna_overhead": optuna_overhead,
    "compile_time": compile_time,
    "against_numpy": against_numpy,
    "many_runs": many_runs,
    "many_runs_target": many_runs_target,
    "many_runs_tables": many_runs_tables,
    "memory": memory,
    "memory_largest": memory_largest,
    "devices": devices,
}
