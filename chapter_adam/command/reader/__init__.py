"""The subcommands that take rules of a reader's, each as FILE.py:FUNCTION."""
