"""Names for models, as `g4f.models.default`."""

from typing import TYPE_CHECKING, Final

default: Final[str] = ""
"""The provider's own default model; the same as naming none."""

if not TYPE_CHECKING:  # which would take every name for one of ours

    def __getattr__(name: str) -> str:
        """Say how a model is named, to who looks for its name here, as in gpt4free."""
        hint = (
            "" if name.startswith("_") else f": write the model's name as a text, as model={name.replace('_', '-')!r}"
        )
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
