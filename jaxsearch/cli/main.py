"""The command line: what may be typed, and how mistakes are answered."""

import sys
from pathlib import Path

try:
    import click
    import rich  # noqa: F401  # cli.output draws its tables with it
except ImportError:
    sys.exit("The command jaxsearch needs its extra: pip install 'jaxsearch[cli]'")

import jax

from jaxsearch.cli.check import check_table
from jaxsearch.cli.comparison import write_comparison
from jaxsearch.cli.configuration import configured
from jaxsearch.cli.directory import resumed
from jaxsearch.cli.directory import status as lines_of_status
from jaxsearch.cli.machine import use_all_cores, use_compilation_cache
from jaxsearch.cli.networks import FAMILIES
from jaxsearch.cli.options import Options
from jaxsearch.cli.output import show_lists
from jaxsearch.cli.predict import predict_rows
from jaxsearch.cli.reading import dialect_options, table_options
from jaxsearch.cli.report import write_report
from jaxsearch.cli.run import run_search
from jaxsearch.problems.labelled import UnusableTableError

COMMANDLINE = click.core.ParameterSource.COMMANDLINE


def main() -> None:
    """Runs the command; bad input ends in one line on stderr and exit code 2, never in a traceback."""
    try:
        code = cli.main(prog_name="jaxsearch", standalone_mode=False)
    except click.ClickException as error:
        message, context = error.format_message().rstrip(), getattr(error, "ctx", None)
        end = "" if message.endswith((".", "?")) else "."
        code = _complain(f"{message}{end} See {context.command_path if context else 'jaxsearch'} --help.")
    except UnusableTableError as error:
        for note in error.notes:
            click.echo(f"note: {note}", err=True)
        code = _complain(str(error))
    except ValueError as error:
        code = _complain(str(error))
    except OSError as error:
        code = _complain(f"{error}. Check the path, who may use it, and the room on the disk.")
    except jax.errors.JaxRuntimeError as error:
        _complain(f"JAX could not run the search: {str(error)[:200]}. Use smaller networks, or fewer --folds.")
        code = 1
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code)


def _complain(message: str) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="jaxsearch")
@click.pass_context
def cli(context: click.Context) -> None:
    """Search for the best neural network, the whole search as compiled JAX."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.argument("data", default="digits")
@table_options
@click.option(
    "--model",
    type=click.Choice(list(FAMILIES)),
    default="mlp",
    show_default=True,
    help="conv_net is for images, and slower: try it with --folds 1 --budget 64.",
)
@click.option("--strategy", default="ga", show_default=True, help="auto, or one of `jaxsearch list`.")
@click.option("--budget", default=1024, show_default=True, help="Candidates to train and score.")
@click.option("--metric", help="By default error for classification, rmse for regression; see `jaxsearch list`.")
@click.option(
    "--class-weight",
    type=click.Choice(["balanced", "none"]),
    help="balanced: in training all classes weigh the same; by default for metrics that weigh them so.",
)
@click.option("--stop-at", type=float, help="Stop when the cross-validation score is this good.")
@click.option("--time-limit", type=float, help="Seconds after which to stop.")
@click.option("--folds", default=5, show_default=True, help="Of the cross-validation; 1 for a single hold-out.")
@click.option(
    "--epochs",
    type=int,
    help="Passes over the training rows of those trained in full; by default enough for about 1000 steps.",
)
@click.option("--max-layers", type=int, help="Hidden layers, or blocks, of the largest network; 3 by default.")
@click.option("--max-width", type=int, help="Its units per layer, 128 by default, or channels, 32 by default.")
@click.option("--test-share", default=0.2, show_default=True, help="Share of the rows that the search never sees.")
@click.option("--seed", default=0, show_default=True, help="Decides every random draw.")
@click.option("--out", type=click.Path(path_type=Path), help="Directory to write; by default a new one in runs/.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with a run that was stopped: its directory. Its options hold; others may be added.",
)
@click.pass_context
def run(context: click.Context, resume: Path | None, **options) -> None:
    """Search for a network for DATA: a CSV, XLSX, Parquet or NPZ file, or a data set of `jaxsearch list`.

    Without DATA: handwritten digits. DATA may also be a TOML file with these options, such as budget = 64 and
    data = "table.csv"; those typed here win. Its paths are relative to its own directory.

    Ctrl-C ends the search after the generation that is running, with the result so far; it can be resumed then, and
    also if it was killed.
    """
    typed = {name: value for name, value in options.items() if context.get_parameter_source(name) is COMMANDLINE}
    if resume is not None and {"data", "out"} & set(typed):
        raise click.UsageError("--resume goes on with the data and the directory of a run; got others. Leave them out.")
    asked = Options(**configured(context, options, typed)) if resume is None else resumed(resume, typed)
    use_compilation_cache()
    use_all_cores()
    sys.exit(run_search(asked, resume))


@cli.command()
@click.argument("data")
@table_options
@click.pass_context
def check(context: click.Context, **options) -> None:
    """Tell what every column of DATA counts as, before any search: a CSV, XLSX, Parquet, NPZ or TOML file.

    It takes the options of `jaxsearch run` that say how a table is read. The exit code is 2 if the table cannot be
    used; all reasons are printed at once.
    """
    typed = [name for name in options if context.get_parameter_source(name) is COMMANDLINE]
    context = run.make_context("run", [])
    asked = configured(context, context.params | options, typed)
    del asked["resume"]
    sys.exit(check_table(Options(**asked)))


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
def status(run: Path) -> None:
    """Tell how far RUN, the directory of a run, is, while it runs or afterwards."""
    click.echo("\n".join(lines_of_status(run)))


@cli.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; by default report.html in RUN, or comparison.html here for several runs.",
)
def report(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write a page about RUN, the directory of a run, while it runs or afterwards: data, network, figures and trials.

    With several runs, a page that compares them: results, settings that differ, and how fast each search was.
    """
    if out is not None and not out.absolute().parent.is_dir():
        raise ValueError(f"--out must lie in a directory that is there; got {out}. Make it first.")
    if len(runs) == 1:
        click.echo(f"Wrote {write_report(runs[0], out)}")
    else:
        click.echo(f"Wrote {write_comparison(runs, out or Path('comparison.html'))}")


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The CSV to write; by default it is shown."
)
@click.option("--id", "ids", metavar="COLUMN", help="A column that tells the rows apart, to be put first.")
@dialect_options
def predict(run: Path, data: str, out: Path | None, ids: str | None, **dialect) -> None:
    """Predict the rows of DATA, a file of a kind that `run` reads, by the network that RUN, a directory, holds.

    The rows need the columns that the network was trained on, by name; others may be there. If the
    target is among them, the score on these rows is printed.
    """
    predict_rows(run, data, out, ids, **dialect)


@cli.command(name="list")
def list_() -> None:
    """List the strategies, models, metrics and data sets."""
    show_lists()
