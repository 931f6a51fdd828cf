"""What the checks of exercises are written with."""
