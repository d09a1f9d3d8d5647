"""The project's checks, each in an environment of its own: `nox` runs those that need no engine, `nox -l` lists them.

What follows `--` goes to pytest: `nox -s unit -- -k labels`.
"""

import nox

nox.options.sessions = ["lint", "unit", "process", "docs"]
nox.options.reuse_existing_virtualenvs = True

PURE = "not process and not engine"


def install(session: nox.Session) -> None:
    """Put the project and its tools into the session's environment."""
    session.install("--editable", ".[dev]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and types."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def unit(session: nox.Session) -> None:
    """The tests that start no process."""
    install(session)
    session.run("pytest", "-n", "auto", "-m", PURE, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The same tests, with a report of the lines that none of them runs; it takes some times as long."""
    install(session)
    session.run("pytest", "-n", "auto", "-m", PURE, "--cov", *session.posargs)


@nox.session
def process(session: nox.Session) -> None:
    """The tests that start Caddy or dockcaddy."""
    install(session)
    session.run("pytest", "-n", "auto", "-m", "process and not engine", *session.posargs)


@nox.session
def engine(session: nox.Session) -> None:
    """The tests on a Docker Engine, one after the other: some of them restart it."""
    install(session)
    session.run("pytest", "-m", "engine", *session.posargs)


@nox.session
def modules(session: nox.Session) -> None:
    """The image with a Caddy that xcaddy makes; needs Go and an engine, and takes minutes."""
    install(session)
    folder = session.create_tmp()
    session.run(
        "go", "install", "github.com/caddyserver/xcaddy/cmd/xcaddy@latest", external=True, env={"GOBIN": folder}
    )
    caddy = f"{folder}/caddy"
    build = ("build", "--with", "github.com/mholt/caddy-l4@v0.1.2", "--output", caddy)
    session.run(f"{folder}/xcaddy", *build, external=True)
    environment = {"DOCKCADDY_TESTS_CADDY_WITH_MODULES": caddy}
    session.run("pytest", "tests/image", "-k", "modules", *session.posargs, env=environment)


@nox.session
def docs(session: nox.Session) -> None:
    """The generated pages are current, the examples of the pages work, and the site is built without a warning."""
    install(session)
    session.run("python", "docs/generate.py", "--check")
    session.run("sphinx-build", "--fail-on-warning", "-c", "docs", ".", "site")
    session.run("pytest", "tests/docs", "-m", "not engine", *session.posargs)
