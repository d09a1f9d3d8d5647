"""A content management system of one page, which keeps an upload."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

UPLOADS = Path("/srv/uploads")


class Pages(BaseHTTPRequestHandler):
    """Answers every page."""

    def do_GET(self) -> None:
        """A page that names its own path."""
        body = f"<h1>cms page {self.path}</h1>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    (UPLOADS / "draft.txt").write_text("an uploaded draft\n")
    HTTPServer(("", 8000), Pages).serve_forever()
