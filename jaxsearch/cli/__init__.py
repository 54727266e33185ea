"""The command `jaxsearch`."""
