"""Fine-tuning on built datasets: recipes, chat templates with their masks, supervised fine-tuning on TRL.

Needs the extra [train]; what only reads or explains works without.
"""
