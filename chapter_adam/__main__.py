"""`python -m chapter_adam` is the command `chapter-adam`."""
import sys

from .command.cli import main

sys.exit(main())
