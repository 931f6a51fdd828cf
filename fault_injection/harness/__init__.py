"""Tools of the scenarios: chat processes, servers, clients, consistency checks."""
