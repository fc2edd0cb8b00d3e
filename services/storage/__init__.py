"""Files by the hash of their content, in a folder or in object storage, and how long they are kept."""
