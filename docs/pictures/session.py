"""Draw session.svg, the animation of the README: what `dockcaddy demo` prints, one picture a step.

`python docs/pictures/session.py` runs the demo in a terminal of its own and writes the file.
"""

import os
import pty
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "session.svg"
COMMAND = [sys.executable, "-m", "dockcaddy", "demo", "--once", "--pause", "1"]
# those of a terminal, by their numbers
COLOURS = {1: "red", 2: "green", 6: "cyan"}
SECONDS, COLUMN, ROW, EDGE = 5, 8.4, 20, 20
STYLE = """
    rect { fill: #f6f8fa; stroke: #d0d7de } text { font: 14px ui-monospace, monospace; fill: #1f2328; white-space: pre }
    .bold { font-weight: 600 } .dim { fill: #6e7781 } .red { fill: #cf222e } .green { fill: #1a7f37 } .cyan { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      rect { fill: #0d1117; stroke: #30363d } text { fill: #e6edf3 } .dim { fill: #8b949e } .red { fill: #ff7b72 }
      .green { fill: #3fb950 } .cyan { fill: #79c0ff }
    }
    g { opacity: 0; animation: step %ds infinite }
    @keyframes step { 0%%, %.2f%% { opacity: 1 } %.2f%%, 100%% { opacity: 0 } }
    @media (prefers-reduced-motion: reduce) { g { animation: none } g:nth-of-type(4) { opacity: 1 } }
"""


def recorded() -> str:
    """What the demo prints on a terminal, with its colours."""
    kept: list[bytes] = []

    def read(terminal: int) -> bytes:
        kept.append(os.read(terminal, 1024))
        # nothing is shown while it is recorded
        return b" " if kept[-1] else b""

    status = pty.spawn(COMMAND, read)
    output = b"".join(kept).decode().replace("\r\n", "\n")
    if status:
        sys.exit(output)
    return output


def steps(output: str) -> list[list[Text]]:
    """The lines of each step, which begins with its number."""
    body = re.search(r"^(?:\x1b\[\d*m)*\[1/.*?(?=\n\n(?!(?:\x1b\[\d*m)*\[))", output, re.DOTALL | re.MULTILINE)
    assert body is not None, output
    return [[Text.from_ansi(line) for line in step.splitlines()] for step in body[0].split("\n\n")]


def drawn(frames: list[list[Text]]) -> str:
    """The animation."""
    width, height = 80 * COLUMN + 2 * EDGE, max(map(len, frames)) * ROW + 2 * EDGE
    share = 100 / len(frames)
    style = STYLE % (SECONDS * len(frames), share - 0.01, share)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="dockcaddy demo">',
        f"  <style>{style}  </style>",
        f'  <rect x="1" y="1" width="{width - 2:g}" height="{height - 2:g}" rx="8"/>',
    ]
    for number, frame in enumerate(frames):
        lines.append(f'  <g style="animation-delay: {number * SECONDS}s">')
        for row, text in enumerate(frame):
            spans = "".join(_spans(text))
            lines.append(f'    <text x="{EDGE}" y="{EDGE + row * ROW + 14}">{spans}</text>')
        lines.append("  </g>")
    return "\n".join([*lines, "</svg>", ""])


def _spans(text: Text) -> Iterator[str]:
    for part in text.render(Console(), end=""):
        style = part.style
        names = [] if style is None or style.color is None else [COLOURS[style.color.number]]
        names += ["bold"] if style is not None and style.bold else []
        names += ["dim"] if style is not None and style.dim else []
        content = escape(part.text, quote=False)
        yield f'<tspan class="{" ".join(names)}">{content}</tspan>' if names else content


if __name__ == "__main__":
    PICTURE.write_text(drawn(steps(recorded())), encoding="utf-8")
