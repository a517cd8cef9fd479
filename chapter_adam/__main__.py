"""`python -m chapter_adam` is the command `chapter-adam`."""
import sys

from .cli import main

sys.exit(main())
