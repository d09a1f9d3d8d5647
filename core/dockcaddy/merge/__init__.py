"""Fragments become one Caddyfile."""
