"""A tour without Docker: web servers on loopback stand in for containers, everything else is the real thing."""

from dockcaddy.run.demo.show import show

__all__ = ["show"]
