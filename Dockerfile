# dockcaddy and Caddy: docker build -t dockcaddy .
#
# Nothing here depends on the architecture: docker buildx build --platform linux/amd64,linux/arm64 .
# Without a package index, put the wheels into the folder wheels and add
# --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=/src/wheels. See docs/image.md.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
# pip reads these
ARG PIP_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --no-compile --ignore-installed --root /install '.[caddy]' \
 && python -m compileall -q -s /install --invalidation-mode unchecked-hash /install \
 && install -D /install/usr/local/bin/caddy /install/usr/libexec/caddy \
 && install -D -m 755 image/caddy /install/usr/local/bin/caddy \
 && install -D -m 755 image/caddy /install/usr/bin/caddy

FROM ${PYTHON}
LABEL org.opencontainers.image.title="dockcaddy" \
      org.opencontainers.image.description="Labels on Docker containers become a live Caddy configuration" \
      org.opencontainers.image.licenses="MIT"
# the places of caddy-docker-proxy's image, so that its volumes keep their certificates
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data XDG_STATE_HOME=/data
COPY --from=build /install/ /
# any user of --user may write to the volumes; Python's own modules are compiled once, here
RUN groupadd --gid 65532 dockcaddy \
 && useradd --uid 65532 --gid 65532 --create-home --shell /usr/sbin/nologin dockcaddy \
 && install -d -o dockcaddy -g dockcaddy -m 1777 /config /data \
 && mkdir -p /etc/caddy && chmod 1777 /var/log \
 && python -c "import dockcaddy.cli.run, dockcaddy.cli.healthcheck, docker, sqlite3"
WORKDIR /
EXPOSE 80 443 443/udp 2019
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["dockcaddy", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/caddy"]
CMD ["docker-proxy"]
