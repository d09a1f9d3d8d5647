"""Admission: checks and adjustments of fragments and configurations before Caddy gets them."""
