"""The README's blocks run, and its generated parts are those of the registry and the results."""

import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_blocks_run(block):
    exec(compile(block, "README.md", "exec"), {})


def test_there_are_blocks_and_the_two_commands():
    assert len(BLOCKS) >= 4
    assert "pip install -e '.[cli]' && jaxsearch run\n" in README
    assert "pip install -e '.[test]' && pytest\n" in README


@pytest.mark.parametrize("name", ["README.md", "benchmarks/README.md"])
def test_generated_parts_are_up_to_date(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("readme")
    text = (ROOT / name).read_text(encoding="utf-8")
    assert module.generated(text) == text, "run python benchmarks/readme.py"


def test_a_part_without_a_result_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("readme")
    monkeypatch.setattr(importlib.import_module("markdown_tables"), "ROOT", tmp_path)
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "memory.json").write_text('{"analysis": {}}')  # run, but not all of its parts
    for part in ("devices", "memory_largest"):
        text = f"<!-- {part} -->\nbefore\n<!-- end {part} -->\n"
        assert module.generated(text) == text


@pytest.mark.parametrize("name", ["quality_bbob", "quality_mixint"])
def test_plots_show_every_method(name):
    results = ROOT / "benchmarks" / "results"
    for method, known in json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["methods"].items():
        for dimension in known:
            plot = (results / f"{name}_{dimension}.svg").read_text(encoding="utf-8")
            assert f">{method}</text>" in plot, "run python benchmarks/plots.py"
