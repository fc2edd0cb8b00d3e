"""What is handed out with a model: its card with plots, and a program that uses it."""
