"""What the store answers with: frozen records, each made from its row in one place."""
