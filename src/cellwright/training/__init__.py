"""What learns from built datasets."""
