"""What is true: re-execution, slices judged by running them, questions read from them, and the gates."""
