"""The domains that the contract checks look at: one of every kind of space that a strategy may meet."""

from jaxsearch.core.types import Domain

# Two reals, an integer, a log-scaled integer, two choices, and a real that matters only for one option of the last.
MIXED = Domain(
    cardinality=(0, 0, 7, 100, 3, 2, 0),
    ordered=(True, True, True, True, False, False, True),
    stretch=(0.0, 0.0, 0.0, 5.3, 0.0, 0.0, 0.0),
    parent=(-1, -1, -1, -1, -1, -1, 5),
    branch=(0, 0, 0, 0, 0, 0, 1),
)
# Every branch has one coordinate of its own: a real, a choice, or a value that is fixed.
CONDITIONAL = Domain(
    cardinality=(3, 0, 4, 1), ordered=(False, True, False, True), parent=(-1, 0, 0, 0), branch=(0, 0, 1, 2)
)

DOMAINS = {
    "mixed": MIXED,
    "continuous": Domain((0,) * 4, (True,) * 4),
    "categorical": Domain((3, 5, 2), (False,) * 3),
    "ordered": Domain((4, 9), (True, True)),
    "conditional": CONDITIONAL,
    "single_coordinate": Domain((0,), (True,)),
    "single_value": Domain((1,), (True,)),
}
