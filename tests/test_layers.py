"""The house: imports point downward, names say something, importing is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ["core", "spaces strategies models", "evaluators problems", "runners", "testing adapters report", "cli"]
# models read the dimensions of a space, which lie beside them
BESIDE = {("models", "spaces")}
HEIGHT = {name: floor for floor, row in enumerate(FLOORS) for name in row.split()}
FILES = sorted(path for path in (ROOT / "jaxsearch").rglob("*.py") if path.parent != ROOT / "jaxsearch")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downward(path):
    here = path.relative_to(ROOT / "jaxsearch").parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("jaxsearch") for alias in node.names), "import the leaf module's names"
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jaxsearch"):
            there = node.module.split(".")[1] if "." in node.module else ""
            assert there, f"{node.module}: import from the leaf module, not from the package"
            below = HEIGHT[there] < HEIGHT[here] or there == here or (here, there) in BESIDE
            assert below, f"{here} imports {there}, which does not lie below it"


def test_files_are_short_and_have_names():
    for path in FILES:
        # Length is a sign, not a law: 300 lines that read well beat 200 dense ones.
        assert path.read_text(encoding="utf-8").count("\n") <= 300, f"{path} is longer than 300 lines"
        assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_the_top_level_is_that_of_the_design():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    allowed = {
        "pyproject.toml",
        "jaxsearch",
        "benchmarks",
        "tests",
        "notebooks",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    }
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} <= allowed


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_importing_brings_no_optional_package_and_no_configuration():
    code = """
import sys, jax
def settings():
    return {name: value for name, value in jax.config.values.items()}
before = settings()
import jaxsearch
assert settings() == before
optional = "matplotlib pandas pyarrow mlxtend sklearn rich click scipy.stats pytest hypothesis tqdm optuna".split()
optional += ["flax", "equinox"]
import optax
print([name for name in optional if name in sys.modules])
"""
    assert in_a_new_process(code).strip() == "[]"
