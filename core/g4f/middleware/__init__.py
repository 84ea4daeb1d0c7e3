"""What happens around one target, and between targets: one class a file."""

from g4f.middleware.retry import Budget, Retry

__all__ = ["Budget", "Retry"]
