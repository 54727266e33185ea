"""`python -m jaxsearch.cli`."""

from jaxsearch.cli.main import main

main()
