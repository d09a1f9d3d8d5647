"""Rules about what may stand beside what, and what may be said at all."""
