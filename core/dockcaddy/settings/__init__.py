"""Settings: one table of options drives flags, environment, dockcaddy.toml, the help and the docs.

Precedence: flag, `DOCKCADDY_*`, caddy-docker-proxy's variable, dockcaddy.toml, default. An empty variable is unset.

Import what you need from the modules: `limits` is used everywhere and must not bring the others.
"""
