"""Faults on purpose: what the chat promises must hold while things break."""
