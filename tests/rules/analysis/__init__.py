"""What is warned of in sound rules."""
