"""Options from a file."""

from pathlib import Path

import pytest

from jaxsearch.cli import main as command


@pytest.fixture
def options(jaxsearch, monkeypatch):
    """Runs the command up to the search; returns the options that it would have searched with."""
    seen = []
    monkeypatch.setattr(command, "run_search", lambda options, again: seen.append(options) or 0)

    def options(*arguments):
        code, _, err = jaxsearch("run", *arguments)
        assert (code, err) == (0, "")
        return seen.pop()

    return options


EVERYTHING = """
data = "tables/houses.csv"
target = "price"
task = "regression"
drop = ["id", "date"]
group = "street"
model = "mlp"
strategy = "cmaes"
budget = 64
metric = "rmse"
class_weight = "none"
stop_at = 3
time_limit = 1.5
folds = 3
epochs = 7
max_layers = 2
max_width = 16
test_share = 0.25
seed = 5
out = "result"
"""


def test_every_option_may_stand_in_the_file_and_paths_are_relative_to_it(options, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "search.toml").write_text(EVERYTHING)
    found = options("folder/search.toml")
    typed = options(
        *"folder/tables/houses.csv --target price --task regression --drop id --drop date --group street".split(),
        *"--model mlp --strategy cmaes --budget 64 --metric rmse --class-weight none".split(),
        *"--stop-at 3 --time-limit 1.5 --folds 3".split(),
        *"--epochs 7 --max-layers 2 --max-width 16 --test-share 0.25 --seed 5 --out folder/result".split(),
    )
    assert found == typed
    assert found.out == Path("folder/result")


def test_what_is_typed_wins_even_if_it_is_the_default(options, tmp_path):
    (tmp_path / "search.toml").write_text('data = "iris"\nbudget = 8\nseed = 3\ndrop = ["a"]\nout = "there"')
    found = options("search.toml", "--budget", 1024, "--drop", "b", "--out", "here")
    assert (found.data, found.budget, found.seed, found.drop, found.out) == ("iris", 1024, 3, ("b",), Path("here"))


def test_without_data_the_digits(options, tmp_path):
    (tmp_path / "search.TOML").write_text("")
    assert options("search.TOML") == options()


def test_an_absolute_path_stays(options, tmp_path):
    (tmp_path / "search.toml").write_text(f'data = "{tmp_path}/t.csv"')
    assert options("search.toml").data == f"{tmp_path}/t.csv"


BAD = {
    "budgte = 3": "Unknown option of search.toml 'budgte'. Did you mean budget?",
    "[run]\nbudget = 3": "Unknown option of search.toml 'run'",
    "budget = 3.0": "budget in search.toml must be an integer; got 3.0. Write e.g. budget = 8.",
    "budget = true": "must be an integer; got True",
    "budget = '8'": "must be an integer; got '8'",
    "budget = 0": "--budget must be at least 1; got 0",
    f"budget = {10**25}": "--budget must be below 2**31",
    "stop_at = 'low'": "stop_at in search.toml must be a number; got 'low'",
    "stop_at = nan": "--stop-at must be a finite number",
    f"stop_at = {10**400}": "must be a number; got 1000",
    "drop = 'id'": "drop in search.toml must be a list of texts; got 'id'. Write e.g. drop = [\"id\"].",
    "drop = [1]": "must be a list of texts; got [1]",
    "target = 3": "target in search.toml must be a text; got 3",
    "target = ''": "must be a text; got ''",
    "out = 2020-01-01": "must be a text; got datetime.date(2020, 1, 1)",
    'out = "a\\u0000b"': r"must be a text; got 'a\x00b'",
    "task = 'regresion'": "Unknown task 'regresion'. Did you mean regression?",
    "model = 'mpl'": "Unknown model 'mpl'. Did you mean mlp?",
    "budget 3": "got search.toml: Expected '=' after a key",
    "budget = 3\nbudget = 4": "Cannot overwrite a value",
    "x = " + "[" * 5000: "got search.toml: ",
    f"x = {'1' * 5000}": "got search.toml: ",
    b"target = '\xff'": "got search.toml: ",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: str(text)[:30])
def test_mistakes_get_one_line_and_exit_code_2(jaxsearch, tmp_path, text):
    (tmp_path / "search.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    complain(jaxsearch, "search.toml", BAD[text])


def test_files_that_are_not_there(jaxsearch, tmp_path):
    complain(jaxsearch, "search.toml", "got search.toml: No such file or directory. Check the path.")
    (tmp_path / "search.toml").mkdir()
    complain(jaxsearch, "search.toml", "got search.toml: Is a directory")
    (tmp_path / "other.toml").write_text('data = "table.csv"\ntarget = "y"')
    complain(jaxsearch, "other.toml", "there is no file table.csv")


def complain(jaxsearch, name, message):
    code, _, err = jaxsearch("run", name)
    assert code == 2
    assert message in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
