"""The folder that a model is downloaded as: its model card with plots, and a program that predicts with it."""
