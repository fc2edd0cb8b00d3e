"""All SQL of the record. Every function takes a connection and belongs to the caller's transaction.

A state changes in one function, ``state_change.change_state``, which writes the event in the same transaction.
"""
