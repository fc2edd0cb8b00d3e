"""The training engine: one network on resident data, epoch by epoch, knowing torch and NumPy only."""
