"""An API that also says whose an upload is."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer


class Api(BaseHTTPRequestHandler):
    """Everything under /api/."""

    def do_GET(self) -> None:
        """Who may see an upload: the user whose folder it lies in."""
        user = self.headers.get("X-User", "")
        path = self.headers.get("X-Forwarded-Uri", "")
        owner = bool(user) and path.startswith(f"/{user}/") and ".." not in path and "%" not in path
        refused = self.path.startswith("/api/owner/") and not owner
        self.send_response(403 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path, "user": user}).encode())


if __name__ == "__main__":
    HTTPServer(("", 8000), Api).serve_forever()
