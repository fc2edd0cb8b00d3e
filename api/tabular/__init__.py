"""Studies, trials and variants as rows: texts for people, and plain values under names with units for programs."""
