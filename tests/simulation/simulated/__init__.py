"""The whole loop on a simulated clock: an engine, a Caddy, lives and faults that a seed decides."""
