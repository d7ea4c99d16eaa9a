#!/bin/bash
# Whether pgproxy in this container answers /health/live with 200: the image's HEALTHCHECK. With http_tls use another one.
exec 3<>"/dev/tcp/127.0.0.1/${PGPROXY_HTTP_PORT:-9127}" || exit 1
printf 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS= read -r -t 5 status <&3 || exit 1
[[ $status == 'HTTP/1.1 200 '* ]]
