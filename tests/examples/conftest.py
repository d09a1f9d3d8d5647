"""The fixtures of the example stacks."""

from example_stack import bring_up, until

__all__ = ["bring_up", "until"]
