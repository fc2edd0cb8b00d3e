"""The networks of timm, cut and thinned: their parts, which channels remain, and where their weights come from."""
