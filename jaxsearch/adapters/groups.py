"""Which parameters of a study always occur together."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution

from jaxsearch.adapters.distributions import kind_of

Item = tuple[str, BaseDistribution]


class Groups:
    """Splits the parameters of the trials so far into groups whose members were always suggested together."""

    def __init__(self) -> None:
        self.kinds: dict[frozenset[Item], None] = {}  # the different sets of parameters that trials have had
        self.latest: dict[str, BaseDistribution] = {}
        self.lasting: dict[str, bool] = {}  # whether a parameter has the range that it had before

    def add(self, distributions: Mapping[str, BaseDistribution]) -> None:
        """Takes note of the parameters of a trial."""
        for name, distribution in distributions.items():
            self.lasting[name] = self.latest.get(name, distribution) == distribution
            self.latest[name] = distribution
        self.kinds[frozenset(distributions.items())] = None

    def together(self) -> dict[str, BaseDistribution]:
        """The parameters whose range is known, and not one that has just changed; by name."""
        known = sorted(name for name, lasting in self.lasting.items() if lasting)
        return {name: self.latest[name] for name in known if not self.latest[name].single()}

    def split(self, space: Mapping[str, BaseDistribution]) -> list[tuple[Item, ...]]:
        """The parameters of `space` in groups; those with a single value are left out.

        Parameters of one kind stand together, so that spaces that differ in their order share what they compile.
        """
        groups: dict[tuple[bool, ...], list[Item]] = {}
        for item in sorted(space.items(), key=lambda item: (*kind_of(item[1]), item[0])):
            if not item[1].single():
                groups.setdefault(tuple(item in kind for kind in self.kinds), []).append(item)
        return [tuple(group) for group in groups.values()]
