"""The race against the original and other frameworks: who may run, how it is timed, and its figure."""
