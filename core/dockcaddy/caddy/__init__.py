"""The Caddy side: the admin API's client, adapting, the managed child process."""
