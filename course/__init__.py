"""The runner behind learn.py: finds the lessons, runs their scripts, checks the exercises."""
