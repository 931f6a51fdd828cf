"""python -m course: what learn.py starts in the environment."""

from course.cli import main

if __name__ == "__main__":
    main()
