"""Search spaces: a pytree of dimensions and its map to the unit cube."""
