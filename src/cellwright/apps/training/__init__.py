"""`cellwright train`: its commands, and what they show."""
