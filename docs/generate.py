"""Write the pages of docs/ that are made from the code: `python docs/generate.py`.

With `--check` nothing is written; pages that are not current are named, and the exit status is 1.
"""

import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dockcaddy_policy
from dockcaddy import caddyfile, files, hookspecs, plugins, testing
from dockcaddy.engine.api.failures import CALLS
from dockcaddy.settings import pages
from dockcaddy.status import model
from dockcaddy_idioms import table
from dockcaddy_policy.entries import Anything, Inline, Named
from dockcaddy_policy.settings import RULE_HELP
from dockcaddy_policy.table import TABLE
from dockcaddy_status.figures import FIGURES

FOLDER = Path(__file__).parent
NOTE = "<!-- made by docs/generate.py -->\n\n"


def functions_page() -> str:
    """The table of template functions."""
    rows = ["# Template functions\n", NOTE]
    functions = plugins.load().functions.values()
    # a plugin with many functions comes after the others, whatever it is called
    for plugin, count in sorted(
        Counter(entry.plugin for entry in functions).items(), key=lambda each: (each[1] > 50, each[0])
    ):
        rows += [f"\n## {plugin} ({count})\n", "| function | gives |", "| --- | --- |"]
        for entry in functions:
            if entry.plugin == plugin:
                rows.append(f"| `{entry.signature}` | {entry.help.partition(chr(10))[0]} |")
    return "\n".join(rows) + "\n"


def options_page() -> str:
    """The table of options."""
    intro = (
        "# Options\n\n"
        + NOTE
        + "Precedence: flag, `DOCKCADDY_*`, caddy-docker-proxy's variable, `dockcaddy.toml`, default. "
        'In the file a key is the option\'s name with `_`: `label_prefix = "caddy"`.\n\n'
    )
    return intro + pages.option_table(plugins.load().sections)


# hook -> what its result is made of
_PARTS: dict[str, tuple[type, ...]] = {
    "dockcaddy_functions": (hookspecs.Context,),
    "dockcaddy_label_transformers": (hookspecs.LabelTransformer, hookspecs.Label, hookspecs.Stage),
    "dockcaddy_site_transformers": (hookspecs.SiteTransformer, hookspecs.SiteContext),
    "dockcaddy_gates": (hookspecs.Gate,),
    "dockcaddy_admission_rules": (hookspecs.AdmissionRule,),
    "dockcaddy_document_rules": (hookspecs.DocumentRule, hookspecs.Finding, hookspecs.DocumentContext),
    "dockcaddy_outputs": (
        hookspecs.OutputType,
        hookspecs.OutputContext,
        hookspecs.Output,
        hookspecs.Configuration,
        hookspecs.Loader,
    ),
    "dockcaddy_services": (
        hookspecs.ServiceType,
        hookspecs.ServiceContext,
        hookspecs.Service,
        hookspecs.Adapter,
        hookspecs.StatusFeed,
    ),
    "dockcaddy_events": (hookspecs.EventListener, model.Event),
    "dockcaddy_settings": (hookspecs.SettingsSection,),
}


def plugins_page() -> str:
    """The hooks, what they return, an example of each, what faults cost, and how a plugin is tested."""
    parts = ["# Plugins\n", NOTE, inspect.cleandoc(hookspecs.__doc__ or ""), ""]
    parts += ["[examples/plugin](../examples/plugin/README.md) is a whole plugin as a package, with tests.", ""]
    for name in plugins.HOOKS:
        parts += [f"## `{name}`\n", _hook(name), "```python", _example(name), "```", ""]
        for kind in _PARTS[name]:
            parts += ["```python", inspect.getsource(kind).strip(), "```", ""]
    parts += ["## Outputs to a file\n", inspect.cleandoc(files.FileOutput.__doc__ or ""), ""]
    parts += ["## When a plugin fails\n", inspect.cleandoc(plugins.guard.__doc__ or ""), ""]
    parts += ["## The Caddyfile's syntax\n", inspect.cleandoc(caddyfile.directives.__doc__ or ""), ""]
    parts += [
        "`DIRECTIVES` holds a `Directive` for each name, `GLOBAL_OPTIONS`, `DIRECTIVE_BLOCKS`, `SUBROUTES` and `UPSTREAM_DIRECTIVES` hold names.",
        "",
    ]
    for kind in (caddyfile.Directive, caddyfile.SiteAddress):
        parts += [f"### `{kind.__name__}`\n", inspect.cleandoc(kind.__doc__ or ""), ""]
    for fact in (
        caddyfile.SiteAddress.parse,
        caddyfile.is_matcher,
        caddyfile.split_matcher,
        caddyfile.is_matcher_block,
    ):
        parts += [f"### `{_spelled(fact)}`\n", inspect.cleandoc(fact.__doc__ or ""), ""]
    parts += ["## `dockcaddy.testing`\n", inspect.cleandoc(testing.__doc__ or ""), ""]
    for helper in (testing.container, testing.render, testing.fragment, testing.context, testing.registry_with):
        parts += [f"### `{_spelled(helper)}`\n", inspect.cleandoc(helper.__doc__ or ""), ""]
    return "\n".join(parts)


def _hook(name: str) -> str:
    """The hook's signature, and what its docstring says."""
    function = getattr(hookspecs, name)
    signature = re.search(rf"def {name}\(.*\) -> .*(?=:)", inspect.getsource(function).partition("  #")[0])
    assert signature is not None
    return f"```python\n{signature[0]}: ...\n```\n\n{inspect.cleandoc(function.__doc__ or '')}\n"


def _example(name: str) -> str:
    """A plugin that implements the hook."""
    file = FOLDER.parent / "examples" / "hooks" / f"{name.removeprefix('dockcaddy_')}.py"
    return file.read_text().strip()


def _spelled(function: Callable[..., object]) -> str:
    """`render(template, resource, *modules, caddy=None)`."""
    parameters = inspect.signature(function).parameters.values()
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return f"{function.__qualname__}{inspect.Signature(bare)}"


def idioms_page() -> str:
    """The table of idioms."""
    rows = [
        "# Idioms\n",
        NOTE
        + "dockcaddy rewrites natural label values that Caddy would refuse or misread to what their author meant. Correct",
        'and quoted values stay as they are. `[idioms] off = ["header-values"]` turns idioms off by name.\n',
        "| name | what | label | becomes |",
        "| --- | --- | --- | --- |",
    ]
    rows += [f"| `{row['name']}` | {row['help']} | `{row['label']}` | ``{row['becomes']}`` |" for row in table()]
    return "\n".join(rows) + "\n"


_TRUST = (
    "![Labels pass rules before Caddy gets them; what the operator writes does not; secrets, files and the admin API are out of "
    "labels' reach; the engine is only read](pictures/trust.svg)\n\n"
)


def _module_row(name: str) -> str:
    """`| module | fields with rules | fields without |`."""
    ruled, free = [], []
    for field, entry in TABLE[name].items():
        spelled = f"`{field}`" if field else "all"
        if isinstance(entry, Anything):
            free.append(f"{spelled} (*secret*)" if entry.is_secret else spelled)
        elif isinstance(entry, Inline | Named):
            several = entry.namespace and (isinstance(entry, Named) or entry.key)
            ruled.append(f"{spelled} (`{entry.namespace or 'app'}{'.*' if several else ''}`)")
        else:
            checks = entry if isinstance(entry, tuple) else (entry,)
            ruled.append(f"{spelled} ({', '.join(dict.fromkeys(check.rule for check in checks))})")
    return f"| {'the configuration' if name == 'config' else f'`{name}`'} | {', '.join(ruled)} | {', '.join(free)} |"


def security_page() -> str:
    """The rules of the policy."""
    rows = [
        "# Security\n",
        NOTE + _TRUST + inspect.cleandoc(dockcaddy_policy.__doc__ or "") + "\n",
        "A resource that breaks a rule is left out, and the error says how to allow it. Allow single rules, for resources",
        "that you trust, in `dockcaddy.toml`:\n",
        "```toml",
        "[policy]",
        "allow = [",
        '    "templates",                      # this rule, for everybody',
        '    "environment@project:ops",        # this rule, for one Compose project or Swarm stack',
        '    "container:gateway-*",            # every rule, for containers of this name',
        '    "imports@network:trusted",        # this rule, for containers on this network',
        '    "roots@prefix:caddy_9",           # this rule, in labels with this prefix',
        "]",
        'modules = ["http.handlers.webhook"]   # modules of Caddy that are not in the table below, for everybody',
        "```\n",
        '`trust = "all"` turns all rules off, as in caddy-docker-proxy. No rule applies to a base Caddyfile or a Swarm config,',
        "because you write these yourself.\n",
        "| rule | what | `render --raw` prints it |",
        "| --- | --- | --- |",
    ]
    withheld = [rule.name for rule in dockcaddy_policy.RULES if not rule.shows_refused]
    rows += [f"| `{name}` | {text} | {'no' if name in withheld else 'yes'} |" for name, text in RULE_HELP.items()]
    rows += [
        "\n## What labels may produce\n",
        "These are the modules of Caddy's JSON that labels may lead to, with their fields. Everything else is refused by the rule",
        "`modules`. A field in the second column may have any value in which its rules find nothing. One in the third column may",
        "have any value; its text must not read secret variables or files, except where it is *secret*. `*` stands for any name.\n",
        "| module | fields with rules | any value |",
        "| --- | --- | --- |",
        *map(_module_row, TABLE),
    ]
    rows += [
        "\n## The admin endpoints of servers\n",
        "Caddy's admin API asks nobody for a password. Whoever reaches the endpoint of a [server](controller.md) can replace its",
        "configuration and read it. A container or service with the label `caddy_controlled_server` is given the whole configuration,",
        "with all secrets in it: without `--controller-network` whoever may start containers can have it, and with it whoever may",
        "also connect them to that network. It cannot change what other servers get: only the controller's own Caddy and the",
        "servers of `--caddy-admin` adapt the text.\n",
        "- Put servers and controllers on a network of their own, and nothing else (`caddy_controller` in",
        "  [examples/distributed.yaml](../examples/distributed.yaml)). Not `attachable`, so that `docker run` cannot join it; with",
        '  `driver_opts: {encrypted: ""}` if the nodes\' network is not trusted. Name it with `--controller-network`: then a server',
        "  listens there only, and a controller sends configurations nowhere else.",
        "- Without such a network, let the endpoint listen on a unix socket, or behind TLS with client certificates",
        "  (`admin.remote` of Caddy, or a proxy), and name it with `--caddy-admin`.",
        "- Labels cannot use an admin endpoint as an upstream: no port 2019, and no address of a server with its port. They cannot move",
        "  it, and cannot have the configuration sent to another host than the labelled one.",
        "- A controller's lock in the Swarm needs two calls that write: `POST /configs/create` and `POST /configs/{id}/update`. Where a",
        "  socket proxy forbids them, the lock is on the servers.",
        "\n## A proxy in front of the engine's socket\n",
        "Whoever can use the engine's socket is root on its host. A socket proxy lets dockcaddy read and nothing else:",
        "[examples/socket-proxy.yaml](../examples/socket-proxy.yaml). These are all calls that dockcaddy makes, except the",
        "two of a controller's lock above. They have any API version in front of the path (`/v1.41/networks`) and any query. If one",
        "is forbidden, only what needs it is missing, and one warning says so. The variables are those of docker-socket-proxy.\n",
        "| call | variable | what needs it |",
        "| --- | --- | --- |",
        *(f"| `GET {path}` | `{variable}=1` | {need} |" for path, (variable, need) in CALLS.items()),
    ]
    return "\n".join(rows) + "\n"


def metrics_page() -> str:
    """The table of metrics."""
    rows = ["# Metrics\n", NOTE + "`GET /metrics` of [the status](status.md), in Prometheus' text format.\n"]
    rows += ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for each in FIGURES:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        rows.append(f"| `{each.name}` | {each.kind} | {labels} | {each.help} |")
    rows += ["\nA dashboard for Grafana is in [examples/grafana](../examples/grafana/dockcaddy.json)."]
    return "\n".join(rows) + "\n"


PAGES = {
    "security.md": security_page,
    "idioms.md": idioms_page,
    "functions.md": functions_page,
    "options.md": options_page,
    "plugins.md": plugins_page,
    "metrics.md": metrics_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages that are not current, or name them with `--check`."""
    outdated = {}
    for page, make in PAGES.items():
        path, text = FOLDER / page, make()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            outdated[path] = text
    if "--check" in arguments:
        for path in outdated:
            sys.stderr.write(f"docs/{path.name} is not current: run python docs/generate.py\n")
        return int(bool(outdated))
    for path, text in outdated.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
