"""What a study means and how it is searched: pure data and pure functions, without database, HTTP or torch."""
