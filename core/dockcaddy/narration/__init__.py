"""What the program reports to people while it runs: which sites went live, changed or went away, and what is wrong."""

from dockcaddy.narration.first_pass import FirstPass, ReadEngine
from dockcaddy.narration.live import LiveSite, LiveSites, Upstream
from dockcaddy.narration.log import DescribedEngine, LogNarrator
from dockcaddy.narration.narrator import Narrator, Pass, ProblemLog
from dockcaddy.narration.systemd import Systemd, SystemdNarrator

__all__ = [
    "DescribedEngine",
    "FirstPass",
    "LiveSite",
    "LiveSites",
    "LogNarrator",
    "Narrator",
    "Pass",
    "ProblemLog",
    "ReadEngine",
    "Systemd",
    "SystemdNarrator",
    "Upstream",
]
