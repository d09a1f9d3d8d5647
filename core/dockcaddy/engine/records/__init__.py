"""An engine's JSON as records. No I/O."""
