"""What Cellwright does, timed against what a user would pick instead, in the same run."""
