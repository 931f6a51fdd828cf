"""Benchmarks that compare the chat with its peers in one run on one machine."""
