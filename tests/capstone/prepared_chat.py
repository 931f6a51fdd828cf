"""What tests/support/forked_python.py is for scripts: the chat as forks of a Python that has it."""

# Drivers that the chat imports only where they are asked for.
import redis.asyncio  # noqa: F401
import sqlalchemy.dialects.mysql.pymysql
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401, the last name stands for all three

import capstone_chat.app
import capstone_chat.server  # noqa: F401, not __main__, which each fork runs
from tests.support import forked_python

if __name__ == "__main__":
    forked_python.main()
