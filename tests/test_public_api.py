import inspect

import jaxsearch as js
from jaxsearch.strategies import registry

FIXED = """Float Int Choice Switch domain decode encode sample active describe RandomSearch LocalSearch GradientSearch
PSO GA Seeded Domain Candidates Results Strategy Evaluator
Vectorized Chunked Sharded Callback Training minimize search memory compare""".split()


def test_the_fixed_names_are_there_and_documented():
    assert set(FIXED) <= set(js.__all__)
    for name in js.__all__:
        thing = getattr(js, name)
        assert (thing.__doc__ or "").strip(), f"{name} has no docstring"


def test_signatures_that_other_programs_call():
    assert str(inspect.signature(js.Float)).startswith("(low")
    assert list(inspect.signature(js.minimize).parameters)[:3] == ["objective", "space", "strategy"]
    keywords = inspect.signature(js.search).parameters
    for name in "key num_generations max_evaluations time_limit target patience callback progress".split():
        assert keywords[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_every_strategy_cites_its_source_and_is_exported():
    for strategy in registry.values():
        assert "References:" in strategy.__doc__
        assert getattr(js, strategy.__name__) is strategy
