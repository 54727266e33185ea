"""The nouns and contracts that every other package speaks; imports only jax."""
