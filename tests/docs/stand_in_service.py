"""A container of a recipe: an application that says what it was asked, and a login service that knows the cookie of alice."""

import base64
import hashlib
import os
import socketserver
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# where the login services of the recipes are asked, with what they answer to strangers
LOGINS = {
    "/api/authz/forward-auth": 302,
    "/outpost.goauthentik.io/auth/caddy": 302,
    "/api/auth/caddy": 302,
    "/oauth2/auth": 401,
}
USERS = ("Remote-User", "X-Authentik-Username", "X-Auth-Request-User")
# what an application puts into a volume that the proxy has too
FILES = {
    Path("/srv/static"): {"hello.txt": "a file\n"},
    Path("/srv/blog"): {"public/index.php": "<?php", "public/style.css": "a style\n"},
}


class Handler(BaseHTTPRequestHandler):
    """Answers every request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # Caddy asks with the query of the visitor's request
        path = self.path.partition("?")[0]
        if path in LOGINS:
            self._login(LOGINS[path])
        elif self.headers.get("Upgrade") == "websocket":
            self._socket()
        else:
            said = f"service: {os.environ['NAME']}\nport: {self.server.server_port}\npath: {self.path}\n{self.headers}"
            self._answer(200, {}, said.encode())

    def _login(self, status: int) -> None:
        if self.headers.get("Cookie") == "user=alice":
            self._answer(202, dict.fromkeys(USERS, "alice"))
        else:
            self._answer(status, {"Location": "https://auth.example.org/"} if status == 302 else {})

    def _socket(self) -> None:
        """Accepts a WebSocket, and gives its first frame back as it came, which shows that both ways are open."""
        given = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        key = base64.b64encode(hashlib.sha1(given.encode()).digest()).decode()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key)):
            self.send_header(name, value)
        self.end_headers()
        self.rfile.read(2)
        self.wfile.write(b"\x81\x05hello")
        self.close_connection = True

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Php(socketserver.StreamRequestHandler):
    """Answers one request of FastCGI with the script that it names."""

    def handle(self) -> None:
        parameters, kind, length = b"", 0, 0
        # up to the end of the request's body
        while kind != 5 or length:
            _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", self.rfile.read(8))
            content = self.rfile.read(length + padding)[:length]
            parameters += content if kind == 4 else b""
        # a name and its value stand beside each other
        script = parameters.partition(b"SCRIPT_FILENAME")[2].partition(b".php")[0].decode()
        body = f"Content-Type: text/plain\r\n\r\nscript: {script}.php\n".encode()
        for kind, content in ((6, body), (6, b""), (3, bytes(8))):
            self.wfile.write(struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content)


if __name__ == "__main__":
    for folder, files in FILES.items():
        for name, text in files.items() if folder.is_dir() else ():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
    for port in map(int, os.environ["PORTS"].split()):
        if "FASTCGI" in os.environ:
            server: socketserver.BaseServer = socketserver.ThreadingTCPServer(("", port), Php)
        else:
            server = ThreadingHTTPServer(("", port), Handler)
        threading.Thread(target=server.serve_forever).start()
