"""The benchmark: competitors train the section's model, each right before it is timed; a table and a figure."""
