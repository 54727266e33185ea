"""Every public name is documented, the examples in docstrings run, and the reference is built from them."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import jax
import jax.numpy as jnp
import optuna
import pytest

import jaxsearch as js

ROOT = Path(__file__).parent.parent
specification = importlib.util.spec_from_file_location("documentation", ROOT / ".ci" / "documentation.py")
documentation = importlib.util.module_from_spec(specification)
specification.loader.exec_module(documentation)


def public(name):
    """The public names of a module and what they stand for."""
    module = importlib.import_module(name)
    own = [key for key, thing in vars(module).items() if getattr(thing, "__module__", None) == name]
    names = getattr(module, "__all__", [key for key in own if not key.startswith("_")])
    return {key: getattr(module, key) for key in names}


def examples():
    finder = doctest.DocTestFinder()
    for found in pkgutil.walk_packages(js.__path__, "jaxsearch."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            # the names of the module itself are there, too
            yield from (one for one in finder.find(module, found.name, module) if one.examples)


EXAMPLES = list(examples())


# A method of a contract is documented by the contract, also by that of the dimensions.
@pytest.mark.parametrize("name", documentation.MODULES)
def test_every_public_name_is_documented(name):
    assert importlib.import_module(name).__doc__
    for key, thing in public(name).items():
        if inspect.isclass(thing) or callable(thing):
            assert (thing.__doc__ or "").strip(), f"{name}.{key} has no docstring"
        if inspect.isclass(thing):
            contract = {*dir(js.Strategy), *dir(js.Trainable), *"decode encode describe undescribe".split()}
            for method, function in vars(thing).items():
                if inspect.isfunction(function) and not method.startswith("_") and method not in contract:
                    assert inspect.getdoc(getattr(thing, method)), f"{name}.{key}.{method} has no docstring"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_run(example, request):
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request.addfinalizer(lambda: optuna.logging.set_verbosity(before))
    example.globs |= {"jax": jax, "jnp": jnp, "js": js, "optuna": optuna}
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.failures == 0


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


def test_fields_become_items_and_sentences_do_not():
    convert = documentation.as_markdown
    assert convert("low, high: bounds. log: a scale.") == "\n- `low, high`: bounds.\n- `log`: a scale."
    assert convert("Linear: every value is alike.") == "Linear: every value is alike."


def test_the_reference_is_built(tmp_path):
    documentation.build(tmp_path)
    text = (tmp_path / "jaxsearch.html").read_text(encoding="utf-8")
    for name in js.__all__:
        assert f'href="#{name}"' in text or f"jaxsearch/{name}.html" in text
