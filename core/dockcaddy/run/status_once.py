"""The status without a daemon: computed once from what there is, without asking a running Caddy."""

from dockcaddy.caddy import CommandAdapter, CommandValidator, find_caddy
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.hookspecs import Adapter
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline, problems_of
from dockcaddy.run.composition import quarantine_for
from dockcaddy.run.preview import Credulous
from dockcaddy.settings.table import Settings
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.model import Status
from dockcaddy.status.observation import Failure, Observation

_NOT_RUNNING = "no dockcaddy runs here, so nothing is known of a running caddy"


def status_once(settings: Settings, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None) -> Status:
    """The status as far as labels, rules and the Caddy program on disk decide it."""
    fragments = pipeline.fragments(inventory, base)
    adapter: Adapter = Credulous()
    validator = None
    try:
        program = find_caddy(settings.caddy)
        adapter, validator = CommandAdapter(program), CommandValidator(program, bool(settings.caddy_admin))
    except CaddyUnreachable:
        # only labels and rules decide then
        pass
    quarantine = quarantine_for(settings, [adapter], lambda: 0.0, rules=lambda: pipeline.document_rules)
    assert quarantine is not None

    def is_valid(built: Configuration) -> bool:
        if validator is not None:
            validator.validate(built.json, built.text)
        return True

    configuration, failure = None, Failure("NotRunning", _NOT_RUNNING)
    try:
        configuration = quarantine.resolve(fragments, pipeline.configuration, is_valid)
    except CaddyRefusal as refusal:
        failure = Failure("RefusedByCaddy", f"caddy refuses everything: {refusal}")
    keeper = StatusKeeper(prefix=settings.label_prefix)
    problems = problems_of(inventory, fragments, configuration, quarantine.problems)
    engines = {each.name: "" for each in inventory.engines}
    keeper.observe(
        Observation(
            inventory, fragments, configuration, quarantine.parts, quarantine.left_out, problems, engines, failure
        )
    )
    return keeper.current
