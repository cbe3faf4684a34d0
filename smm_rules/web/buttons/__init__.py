"""What the buttons do: each a confirmation to look at, and a form that acts once."""
