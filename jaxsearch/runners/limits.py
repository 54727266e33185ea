"""When a search ends."""

import dataclasses


@dataclasses.dataclass
class Limits:
    """Whichever is met first ends the search; None is no limit.

    count: candidates of a generation. seconds: of the search, over all its parts if it was interrupted.
    """

    count: int
    num_generations: int | None
    max_evaluations: int | None
    seconds: float | None
    target: float | None
    patience: int | None

    def __post_init__(self):
        if self.max_evaluations is not None and self.max_evaluations < self.count:
            raise ValueError(
                f"max_evaluations must allow one generation of {self.count} candidates; got {self.max_evaluations}. "
                "Raise it or give the strategy a smaller population_size."
            )

    @property
    def generations(self) -> int | None:
        """The most generations that the limits allow, None if unknown."""
        by_evaluations = None if self.max_evaluations is None else self.max_evaluations // self.count
        return min((n for n in (self.num_generations, by_evaluations) if n is not None), default=None)

    def reached(self, history: list[float], seconds: float) -> str | None:
        """The name of the limit that is met after the generations in `history`, which took so many seconds."""
        if not history:
            return None
        if self.target is not None and history[-1] <= self.target:
            return "target"
        if self.num_generations is not None and len(history) >= self.num_generations:
            return "generations"
        if self.generations is not None and len(history) >= self.generations:
            return "evaluations"
        if self.seconds is not None and seconds >= self.seconds:
            return "time"
        if self.patience is not None and len(history) > self.patience and history[-1] >= history[-1 - self.patience]:
            return "patience"
        return None
