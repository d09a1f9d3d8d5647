"""What has changed from one pass to the next, so that a pass costs what changed and not what there is. Pure.

Steps of the data flow take whole tuples: all resources, all fragments, all sections. A step keeps the tuple that it was
given last, and compares: nobody tells it what has changed, so a step that missed a pass, or failed in the middle of one,
finds out by itself. To compare two tuples of ten thousand objects takes less than one look at each of them.
"""

from dockcaddy.incremental.difference import Difference, Hunk
from dockcaddy.incremental.each import Chosen, Each
from dockcaddy.incremental.kept import keep, places

__all__ = ["Chosen", "Difference", "Each", "Hunk", "keep", "places"]
