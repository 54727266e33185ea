"""Every notebook runs from top to bottom without a word on stderr, and is committed without outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit notebooks without outputs"
    folder = {"metadata": {"path": str(path.parent)}}  # where Jupyter runs it, too
    NotebookClient(notebook, timeout=600, startup_timeout=600, kernel_name="python3", resources=folder).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    warnings = [output.text for output in outputs if output.get("name") == "stderr"]
    assert not warnings, f"a reader would see warnings: {warnings}"


def test_notebooks_are_numbered():
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{number:02}_" for number in range(1, len(NOTEBOOKS) + 1)]
    assert NOTEBOOKS


def test_links_lead_somewhere():
    texts = {path: "".join(cell.source for cell in nbformat.read(path, as_version=4).cells) for path in NOTEBOOKS}
    links = [path.parent / link for path, text in texts.items() for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    assert links
    assert not [link for link in links if not link.exists()]
