"""Runs the checks of exercises: the runner, its worker process, and what a learner is told."""
