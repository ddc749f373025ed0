"""How fast fine-tuning is, and what of the device it uses."""
