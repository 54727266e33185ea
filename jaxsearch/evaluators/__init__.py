"""How a population is evaluated."""
