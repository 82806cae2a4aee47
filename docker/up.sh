#!/bin/sh
# Makes the secrets, starts everything with Docker, and prints how to sign in. The first start makes
# demo users and made-up patients, as `make run` does. With --empty it makes none: for a clinic.
set -eu
cd "$(dirname "$0")/.."
case "$*" in
    '' | --empty) ;;
    *) echo "Usage: sh docker/up.sh [--empty]" >&2; exit 2 ;;
esac

value_of() {  # of a variable in .env
    test ! -e .env || sed -n "s/^$1=//p" .env | tail -n 1
}

engine=$(docker version --format '{{.Server.Version}}') || {
    echo "Docker does not answer. Start it, then run this again." >&2
    exit 1
}
if [ "${engine%%.*}" -lt 25 ]; then
    echo "This is Docker Engine $engine; compose.yaml needs 25 or newer (start_interval)." >&2
    exit 1
fi
docker compose version >/dev/null || {
    echo "Install the plugin \`docker compose\`, then run this again." >&2
    exit 1
}

is_first=$(test -n "$(value_of SECRET_KEY)" || echo yes)
sh docker/secrets.sh
if [ -n "$is_first" ] && [ "$*" != --empty ] && [ -z "$(value_of DEMO_PASSWORD)" ]; then
    printf 'DEMO_PASSWORD=%s\n' "$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')" >>.env
fi

docker compose up --build --wait
address="http://localhost:$(value_of PORTAL_PORT | grep . || echo 4000)"
password=$(value_of DEMO_PASSWORD)
if [ -z "$password" ]; then
    echo
    echo "  Patient Portal   $address"
    echo
    echo "  The first user   docker compose exec portal python manage.py createsuperuser"
    exit
fi
# Over standard input, because every account can read the words of a command.
printf '%s\n' "$password" | docker compose exec -T portal sh -c \
    'read -r DEMO_PASSWORD; export DEMO_PASSWORD; exec python manage.py seed_demo --if-empty'
echo
echo "  Patient Portal   $address"
echo
echo "  Sign in as       frontdesk@demo.example, clinician@demo.example, billing@demo.example,"
echo "                   analyst@demo.example, auditor@demo.example, operator@demo.example"
echo "  Password         $password"
echo
echo "  End it           docker compose down"
