"""What the checks note on the reports of their tests, as pytest's `user_properties`, for the grade at the end."""

CHECK = "g4f-check"  # (the tested class, how many checks it has, the check's name)
GRADE = "g4f-grade"  # the grade that needs the check
CLAIM = "g4f-claim"  # the grade that the manifest claims
