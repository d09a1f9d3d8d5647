"""How tests are divided among pytest-xdist's workers."""

from xdist.scheduler import LoadFileScheduling

# their tests share nothing, and one of them takes as long as many others
_ONE_BY_ONE = ("tests/simulation/", "tests/hostile/test_fuzz.py")


class OneSwarmAtOnce(LoadFileScheduling):
    """All tests of a file are one worker's, and so are those of all files that start a Swarm; long ones are divided."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_ONE_BY_ONE):
            return nodeid
        scope: str = super()._split_scope(nodeid)
        return "swarm" if "/test_real_swarm" in scope or scope.endswith("/test_real_engines.py") else scope
