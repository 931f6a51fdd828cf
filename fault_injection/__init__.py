"""Fault injection: causes faults, and checks that the chat keeps its invariants."""
