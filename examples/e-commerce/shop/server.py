"""A shop that knows one customer."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Shop(BaseHTTPRequestHandler):
    """The shop's page, and the answer to who a request comes from."""

    def do_GET(self) -> None:
        """401 to a stranger, the customer's name to the customer."""
        known = self.headers.get("Cookie") == "customer=ada"
        asked = self.path.startswith("/api/customer/")
        self.send_response(401 if asked and not known else 200)
        if known:
            self.send_header("X-Customer", "ada")
        self.end_headers()
        self.wfile.write(f"shop for {self.headers.get('X-Shop', 'nobody')}\n".encode())


if __name__ == "__main__":
    HTTPServer(("", 8000), Shop).serve_forever()
