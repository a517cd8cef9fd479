"""What a run leaves behind: lines and progress on the terminal, figures and whole files on the disk."""
