"""How tests are divided among pytest-xdist's workers."""

from xdist.scheduler import LoadFileScheduling


class OneSwarmAtOnce(LoadFileScheduling):
    """All tests of a file are one worker's, and so are those of all files that start a Swarm."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return "swarm" if "/test_real_swarm" in scope or scope.endswith("/test_real_engines.py") else scope
