"""What is reported while the program runs: which sites went live, changed or went away, and what is wrong."""

from dockcaddy.narration.cycle import Cycle, Narrator, ProblemLog
from dockcaddy.narration.live import LiveSite, LiveSites, Upstream
from dockcaddy.narration.log import LogNarrator, Watched

__all__ = ["Cycle", "LiveSite", "LiveSites", "LogNarrator", "Narrator", "ProblemLog", "Upstream", "Watched"]
