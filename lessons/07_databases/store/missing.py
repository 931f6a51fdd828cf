"""The message of a script whose server does not answer: which one, where, how to start one."""

import sys
from typing import NoReturn
from urllib.parse import urlsplit

ACCOUNT = (
    "learn_tornado"  # user, password and database, as .ci/services makes them for the tests too
)

# The port, the command for Debian, and the options of the container.
SERVERS = {
    "MariaDB or MySQL": (
        3306,
        "sudo apt install mariadb-server && sudo mariadb -e "
        f'"CREATE DATABASE {ACCOUNT}; GRANT ALL ON {ACCOUNT}.* '
        f"TO {ACCOUNT}@localhost IDENTIFIED BY '{ACCOUNT}'\"",
        f"-e MARIADB_RANDOM_ROOT_PASSWORD=1 -e MARIADB_DATABASE={ACCOUNT} "
        f"-e MARIADB_USER={ACCOUNT} -e MARIADB_PASSWORD={ACCOUNT} mariadb",
    ),
    "PostgreSQL": (
        5432,
        "sudo apt install postgresql && sudo -u postgres psql "
        f"-c \"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{ACCOUNT}'\" "
        f'-c "CREATE DATABASE {ACCOUNT} OWNER {ACCOUNT}"',
        f"-e POSTGRES_USER={ACCOUNT} -e POSTGRES_PASSWORD={ACCOUNT} postgres",
    ),
    "Redis": (6379, "sudo apt install redis-server", "redis"),
    "MongoDB": (27017, "has no package of it: www.mongodb.com/docs/manual/installation", "mongo"),
}
# Another server that speaks the protocol. Install it in a virtual environment of its own.
PIP = {
    "MongoDB": "install secantusdb (lesson 07, FURTHER.md, step 4), then "
    "secantusd-py --host 127.0.0.1 --port 27017 --storage-path :memory:"
}
KINDS = {"mysql": "MariaDB or MySQL", "postgresql": "PostgreSQL", "redis": "Redis"}
KINDS |= {"rediss": "Redis", "mongodb": "MongoDB"}


def give_up(url: str, option: str, why: BaseException) -> NoReturn:
    """Report that no server answers at url, which came from that option; exit with status 2."""
    place = urlsplit(url)  # the password in it must not be printed
    server = KINDS[place.scheme.partition("+")[0]]
    port, debian, container = SERVERS[server]
    where = f"{place.hostname or 'localhost'}:{place.port or port}"
    pip = f"  {'pip':<11}{PIP.get(server, '')}\n" if server in PIP else ""
    reason = (str(why).strip() or type(why).__name__).splitlines()[0]
    print(
        f"No {server} server at {where} that lets us in. Start one, or name another:\n"
        f"  Debian     {debian}\n"
        f"  container  docker run --rm -p {port}:{port} {container}\n"
        f"{pip}"
        f"  elsewhere  {option}\n"
        f"  because    {reason[:90]}",
        file=sys.stderr,
    )
    raise SystemExit(2)
