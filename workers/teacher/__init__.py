"""A teacher's answers on the training images, computed once, which trials learn beside the labels."""
