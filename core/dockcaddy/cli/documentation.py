"""Where the documentation of each command is, for its help."""

PAGES = {
    "run": ("image.md", "options.md", "troubleshooting.md"),
    "render": ("concepts.md#from-labels-to-a-caddyfile", "troubleshooting.md"),
    "check": ("command-line.md#compose-files", "troubleshooting.md"),
    "explain": ("concepts.md#from-labels-to-a-caddyfile",),
    "status": ("status.md",),
    "wait": ("status.md#commands",),
    "try": ("command-line.md#what-answers-a-request", "troubleshooting.md"),
    "diff": ("command-line.md#what-would-change",),
    "schema": ("command-line.md#completion-of-labels-in-an-editor",),
    "init": ("tutorial.md", "options.md"),
    "functions": ("functions.md",),
    "plugins": ("plugins.md",),
    "snapshot": ("command-line.md#snapshots",),
    "healthcheck": ("image.md#health",),
    "demo": ("tutorial.md",),
}
EVERYTHING = ("index.md", "troubleshooting.md")


def links(pages: tuple[str, ...]) -> str:
    """`Documentation (docs/ in the source): image.md, options.md`. What `pip install` installs has no pages."""
    return f"Documentation (docs/ in the source): {', '.join(pages)}"
