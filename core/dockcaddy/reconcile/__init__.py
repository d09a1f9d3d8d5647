"""The loop: it watches engines, makes a configuration of their resources and delivers it."""
