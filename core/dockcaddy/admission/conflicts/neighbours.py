"""Sites of one host: a newer one with a path takes what an older one answers at that path. Pure.

Caddy tries sites with longer paths first.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from attrs import define, field

from dockcaddy.admission.conflicts.adapted import AdaptedSite
from dockcaddy.admission.conflicts.conflict import Conflict
from dockcaddy.admission.conflicts.overlaps import Neighbours, Site
from dockcaddy.admission.conflicts.paths import covers
from dockcaddy.admission.conflicts.samples import Sample, leaves_of, samples_of
from dockcaddy.settings import limits


@define(eq=False)
class PathComparison:
    """Compares sites, given as Caddy reads them. Each is compared a limited number of times."""

    sites: Mapping[Site, AdaptedSite]
    _samples: dict[Site, list[Sample]] = field(factory=dict)
    _compared: Counter[Site] = field(factory=Counter)

    def conflicts(self, neighbours: Neighbours) -> Iterator[Conflict]:
        """The conflicts of the newer of two sites with the older one."""
        newer, older = neighbours.newer, neighbours.older
        if newer in self.sites and older in self.sites and (reason := self._reason(newer, older)):
            yield from newer.conflicts_with(reason, older)

    def _reason(self, newer: Site, older: Site) -> str:
        if self.sites[newer].tls - self.sites[older].tls:
            return "its TLS requirements would cut off clients of"
        if "" not in older.paths:
            return ""
        samples = self._samples_of(older)
        for path in newer.paths:
            self._compared[older] += len(samples)
            if self._compared[older] > limits.MAX_COMPARED_PATHS:
                return "it has too many paths to compare with those of"
            if path and any(covers(path, each.request.path.lower()) for each in samples):
                return f"{path} is already handled by"
        return ""

    def _samples_of(self, site: Site) -> list[Sample]:
        if site not in self._samples:
            routes = self.sites[site].routes
            leaves = (leaf for leaf in leaves_of(routes.routes) if leaf.is_answer)
            self._samples[site] = [each for leaf in leaves for each in samples_of(routes, site.hosts, leaf)]
        return self._samples[site]
