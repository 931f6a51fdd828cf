"""The load client: opens connections to a server, sends messages and counts deliveries."""
