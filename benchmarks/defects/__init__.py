"""Planted defects: good tasks broken in twelve ways, and which gate catches each."""
