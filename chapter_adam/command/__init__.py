"""The command `chapter-adam`: one file for each subcommand, and the end of a run by Ctrl-C."""
