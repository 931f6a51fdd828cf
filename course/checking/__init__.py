"""The checks of exercises: the runner, its worker process, and the reports to the learner."""
