#!/bin/sh
# Set up nginx in the container of compose.servers.yaml, from the files for a host. Nginx finds the
# processes by a name, which it resolves again every 5 s, and writes its logs to Docker.

set -eu
files=/srv/chat/capstone_chat/deploy/nginx

mkdir -p /etc/nginx/snippets
{
    echo 'resolver 127.0.0.11 valid=5s;'
    sed -e 's/server 127.0.0.1:8001/server chat:8888 resolve/' -e '/server 127.0.0.1:8002/d' \
        "$files/chat.conf"
} > /etc/nginx/conf.d/chat.conf
sed -e 's|/var/log/nginx/chat.log|/dev/stdout|' -e 's|/var/log/nginx/chat-error.log|/dev/stderr|' \
    "$files/routes.conf" > /etc/nginx/snippets/chat.conf
cp "$files/http.conf" /etc/nginx/conf.d/default.conf
