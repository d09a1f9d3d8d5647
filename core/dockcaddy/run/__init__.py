"""The parts are wired together: the daemon and the demo."""
