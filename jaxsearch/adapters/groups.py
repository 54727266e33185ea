"""Which parameters of a study always occur together."""

from collections.abc import Mapping
from typing import NamedTuple

from optuna.distributions import BaseDistribution, CategoricalDistribution

from jaxsearch.adapters.distributions import Coordinate, Distributions


class Item(NamedTuple):
    """A parameter; its options may be lists, which have no hash, and NaN, which has another one every time."""

    name: str
    distribution: BaseDistribution

    def __hash__(self) -> int:
        one = self.distribution
        return hash((self.name, len(one.choices) if isinstance(one, CategoricalDistribution) else one))


Group = tuple[Item, ...]

MOST_RANGES = 8  # of a parameter, after which it counts as one that changes in every trial: each compiles a search


class Groups:
    """Splits the parameters of the trials so far into groups whose members were always suggested together."""

    def __init__(self) -> None:
        self.kinds: dict[frozenset[Item], Distributions] = {}  # the different sets of parameters that trials have had
        self.occurs: dict[Item, int] = {}  # bit k: whether the k-th of these sets has the parameter
        self.latest: dict[str, BaseDistribution] = {}
        self.changed: set[str] = set()  # parameters whose range is not the one that they had before
        self.ranges: dict[str, int] = {}  # how often that happened
        self.last: Distributions = {}
        self._together: dict[str, BaseDistribution] | None = None  # what the fields above say, until they change
        self._groups: list[Group] = []

    def known(self, distributions: Distributions) -> Distributions:
        """Equal ones as the same object, which are quicker to compare."""
        if distributions == self.last:
            return self.last
        return self.kinds.get(_items(distributions), distributions)

    def add(self, distributions: Distributions) -> None:
        """Takes note of the parameters of a trial."""
        if distributions is self.last and not self.changed:
            return
        self.changed -= set(distributions)
        changed = {name for name, one in distributions.items() if self.latest.get(name, one) != one}
        self.changed |= changed
        self.ranges |= {name: self.ranges.get(name, 1) + 1 for name in changed}
        self.latest |= distributions
        items = _items(distributions)
        if items not in self.kinds:
            self.occurs |= {item: self.occurs.get(item, 0) | 1 << len(self.kinds) for item in items}
        self.kinds[items] = self.last = distributions
        self._together = None

    def together(self) -> dict[str, BaseDistribution]:
        """The parameters whose range is known, and neither has just changed nor does so all the time; by name."""
        if self._together is None:
            restless = {name for name, count in self.ranges.items() if count > MOST_RANGES} | self.changed
            known = {name: one for name, one in self.latest.items() if name not in restless and not one.single()}
            self._groups, self._together = self._split(known), known
        return dict(self._together)  # PartialFixedSampler takes names out

    def split(self, space: Mapping[str, BaseDistribution]) -> list[Group]:
        """The parameters of `space` in groups; those with a single value are left out.

        Parameters of one kind stand together, so that spaces that differ in their order share what they compile.
        """
        return self._groups if space == self._together else self._split(space)

    def _split(self, space: Mapping[str, BaseDistribution]) -> list[Group]:
        groups: dict[int, list[Item]] = {}
        for item in sorted(_items(space), key=lambda item: (*Coordinate(item.distribution).kind, item.name)):
            if not item.distribution.single():
                groups.setdefault(self.occurs.get(item, 0), []).append(item)
        return [tuple(group) for group in groups.values()]


def _items(space: Mapping[str, BaseDistribution]) -> frozenset[Item]:
    return frozenset(map(Item._make, space.items()))
