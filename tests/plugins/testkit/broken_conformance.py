"""The checks of all the providers of `broken.py`: run by `test_checks.py`, and by nobody else, since most must fail."""

from g4f_testkit import ProviderConformance
from plugins.testkit.broken import DESERVED

for provider in DESERVED:
    globals()[f"Test{provider.__name__}"] = type(
        f"Test{provider.__name__}", (ProviderConformance,), {"provider": provider, "__module__": __name__}
    )
