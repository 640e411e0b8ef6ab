#!/bin/bash
# Answers a health check without a program for it: healthy PORT PATH, the status must be 200.
set -u
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
read -r line <&3
[[ $line == *" 200 "* ]]
