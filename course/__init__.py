"""The runner behind learn.py: it finds the lessons, runs them, and checks the exercises."""
