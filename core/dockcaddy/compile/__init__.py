"""One resource becomes a fragment: the label grammar, rendering, hints about labels that have no effect."""
