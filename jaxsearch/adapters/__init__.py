"""jaxsearch inside other libraries; each module needs its own optional package."""
