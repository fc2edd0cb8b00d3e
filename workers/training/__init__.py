"""The training engine: one network on data that is on the device, epoch by epoch; it imports torch and NumPy only."""
