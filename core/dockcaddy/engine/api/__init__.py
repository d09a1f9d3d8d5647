"""The Engine API: connecting, calling, and what its answers and errors mean."""
