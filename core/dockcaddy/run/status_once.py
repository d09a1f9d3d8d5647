"""The status without a daemon: computed once from what there is, without asking a running Caddy."""

import os

from attrs import evolve

from dockcaddy.model import Inventory
from dockcaddy.run.preview import Preview
from dockcaddy.settings.table import Settings
from dockcaddy.status.document import DOCUMENTS
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.model import Status
from dockcaddy.status.observation import Failure, Observation
from dockcaddy.status.view import Documents

NOT_RUNNING = Failure("NotRunning", "no dockcaddy runs here, so nothing is known of a running caddy")


def status_once(settings: Settings, inventory: Inventory, preview: Preview, failure: Failure | None = None) -> Status:
    """The status as far as labels, rules and the Caddy program on disk decide it. `failure` is that of the running Caddy."""
    if preview.refusal:
        failure = Failure("RefusedByCaddy", f"caddy refuses everything: {preview.refusal}")
    # since when it is so is not known
    keeper = StatusKeeper(lambda: 0.0, settings.label_prefix, environment=None if settings.caddy_admin else os.environ)
    engines = {each.name: "" for each in inventory.engines}
    configuration = None if preview.refusal else preview.configuration
    problems = preview.configuration.problems
    keeper.observe(
        Observation(
            inventory,
            tuple(preview.fragments),
            configuration,
            tuple(preview.parts),
            preview.left_out,
            problems,
            engines,
            failure,
        )
    )
    return keeper.current


def documents_of(status: Status) -> Documents:
    """The same as the documents that a running dockcaddy gives."""
    made = Documents.of(lambda name: DOCUMENTS[name](status))
    # that no caddy was asked is said once, and is no problem of caddy's
    return evolve(made, caddy={**made.caddy, "up": True})
