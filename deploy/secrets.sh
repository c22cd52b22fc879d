#!/usr/bin/env bash
# Make the secrets that compose.yaml names, where they are missing: random passwords, and a certificate for MinIO inside.
# Bring secrets/tls.crt and secrets/tls.key, the certificate of your public name, yourself.
set -euo pipefail
umask 077
cd "$(dirname "$0")"
mkdir -p secrets/minio-certs
for name in database_password minio_root_user minio_root_password store_access_key store_secret_key; do
	if [ ! -s "secrets/$name" ]; then
		head -c 24 /dev/urandom | base64 | tr '+/' '-_' > "secrets/$name"
		echo "made secrets/$name"
	fi
done
if [ ! -s secrets/minio-certs/private.key ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=minio \
		-addext subjectAltName=DNS:minio,DNS:localhost,IP:127.0.0.1 \
		-keyout secrets/minio-certs/private.key -out secrets/minio-certs/public.crt 2> /dev/null
	echo "made secrets/minio-certs/public.crt and private.key"
fi
# The outer folder keeps others out; what is mounted from it is read by the containers' own users.
find secrets -type f -exec chmod 0444 {} +
chmod 0755 secrets/minio-certs
chmod 0700 secrets
for name in tls.crt tls.key; do
	[ -s "secrets/$name" ] || echo "still missing: secrets/$name"
done
