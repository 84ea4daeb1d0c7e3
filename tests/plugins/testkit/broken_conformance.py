"""The checks of all the providers of `broken.py`: run by `test_checks.py`, and by nobody else, since most must fail."""

from g4f_testkit import ProviderConformance
from g4f_testkit.claims import GRADES
from plugins.testkit.broken import DESERVED, TO_THE_END

for provider, (grade, _) in DESERVED.items():
    name = f"Test{provider.__name__}"
    lost = 0 if grade is None else GRADES.index(grade) + 1  # what it must lose is looked at, and what is below
    aim = GRADES[-1] if provider in TO_THE_END else GRADES[min(lost, len(GRADES) - 1)]
    dialect = getattr(provider, "dialect", None)
    members = {"provider": provider, "dialect": dialect, "aim": aim, "__module__": __name__}
    globals()[name] = type(name, (ProviderConformance,), members)
