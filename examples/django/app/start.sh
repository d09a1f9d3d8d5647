#!/bin/sh
# Prepares what the containers share, then becomes the server named by the arguments.
set -e
if [ "$PREPARE" = 1 ]; then
    python manage.py migrate --noinput
    python manage.py collectstatic --noinput
    python manage.py createsuperuser --noinput || true
    cp -r media/. /srv/media/
    touch data/prepared
fi
until [ -e data/prepared ]; do sleep 0.2; done
exec "$@"
