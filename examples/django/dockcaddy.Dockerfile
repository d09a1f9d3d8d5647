FROM python:3.11-slim
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
COPY . /src
RUN pip install --no-cache-dir '/src[caddy]' && rm -rf /src
EXPOSE 80 443
ENTRYPOINT ["dockcaddy"]
CMD ["run"]
