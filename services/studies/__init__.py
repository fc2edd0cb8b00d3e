"""What users and the controller do with studies: commands, and the state changes that follow."""
