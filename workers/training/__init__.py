"""The training engine: one network on resident data, epoch by epoch. Imports torch, NumPy and nothing of the service."""
