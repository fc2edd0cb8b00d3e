"""Studies, trials and variants as table rows: formatted text for people, plain values with units for programs."""
