"""What Compose snippets call in the image is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from dockcaddy.settings.table import OPTIONS

FLAGS = {option.flag for option in OPTIONS} | {"--set", "--config"}
IMAGE = re.compile(r"(?:\$\{DOCKCADDY_IMAGE:-)?dockcaddy(?::[\w.]+)?\}?")


def documents(project: Path) -> Iterator[tuple[str, str]]:
    """The Compose snippets of all pages, and the files of the examples."""
    for page in (*project.glob("docs/**/*.md"), project / "README.md"):
        for text in re.findall(r"```ya?ml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            yield page.name, text
    for example in (project / "examples").rglob("*.yaml"):
        yield example.name, example.read_text(encoding="utf-8")


def commands(project: Path) -> Iterator[tuple[str, list[str]]]:
    """The command of each service with our image, and of each that looks like ours and names no image."""
    for name, text in documents(project):
        services = re.split(r"^  ([\w-]+):\n", text, flags=re.MULTILINE)
        for service, content in zip(services[1::2], services[2::2], strict=True):
            image = re.search(r"^    image: (.+)$", content, re.MULTILINE)
            is_ours = IMAGE.fullmatch(image[1]) if image else "dockcaddy" in service
            if is_ours and (command := re.search(r"^    command:(.*(?:\n      .*)*)$", content, re.MULTILINE)):
                yield name, _words(command[1])


def _words(command: str) -> list[str]:
    """The words of `docker-proxy --mode server`, and of a list on one line or on several."""
    lines = [re.sub(r"^\s*- ", "", line) for line in command.splitlines()]
    return shlex.split(re.sub(r"^\s*[>|]-?|^ *\[|\]$|(?<=[\w\"']),(?= )", "", " ".join(lines)))


def test_every_command_for_the_image_is_one_of_caddys(project: Path) -> None:
    found = list(commands(project))
    assert len(found) > 1
    for name, (command, *arguments) in found:
        assert command == "docker-proxy", f"{name}: the entry point of the image is caddy, which has no such {command}"
        unknown = {each.partition("=")[0] for each in arguments if each.startswith("--")} - FLAGS
        assert not unknown, f"{name}: no option {unknown}"


def test_pip_downloads_what_is_here(project: Path) -> None:
    (command,) = re.findall(r"pip download.*?(?=\ndocker)", (project / "docs/image.md").read_text(), re.DOTALL)
    assert "'.[caddy]'" in command
