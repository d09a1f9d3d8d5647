"""Which addresses of a container Caddy reaches."""
