"""Whether a student's own failures teach it more than as much of anything."""
