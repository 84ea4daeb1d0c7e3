"""The checks, by what they look at. Each is one function with one claim, and its docstring is what it claims."""
