"""The table of what plugins do wrong: which contribution, and how."""

from pathlib import Path

import faulty

FAULTY = str(Path(__file__).parent / "faulty.py")
# how errors call the contributions
NAMES = {
    "function": 'function "faulty" of plugin faulty',
    "raw": 'label transformer "raw" of plugin faulty',
    "rendered": 'label transformer "rendered" of plugin faulty',
    "gate": 'gate "closed" of plugin faulty',
    "rule": 'admission rule "refusing" of plugin faulty',
    "shown-rule": 'admission rule "shown-rule" of plugin faulty',
    "site": 'site transformer "finishing" of plugin faulty',
    "output": 'output "faulty" of plugin faulty',
}


# these come with a refusal of the label language, or with an error in words of their own
IN_OTHER_WORDS = {"junk-error", "nul", "empty-key"}
CASES = [
    (contribution, fault)
    for contribution, faults in (
        ("function", faulty.FUNCTION),
        ("raw", faulty.LABELS),
        ("rendered", faulty.LABELS),
        ("gate", faulty.GATE),
        ("rule", faulty.RULE),
        ("shown-rule", faulty.RULE),
        ("site", faulty.SITE),
    )
    for fault in faults
]


def labels_of(contribution: str, fault: str, port: str = "") -> dict[str, str]:
    """A container in which this goes wrong."""
    if contribution == "site":
        return {"caddy": f"http://site-{fault}.test{port}", "caddy.respond": "untouched"}
    respond = {"function": "{{faulty}}", "gate": "{{upstreams 80}}"}.get(contribution, "x")
    site = f"http://{contribution}-{fault}.test{port}"
    return {"caddy": site, "caddy.respond": f"`{respond}`", "fault": f"{contribution} {fault}"}
