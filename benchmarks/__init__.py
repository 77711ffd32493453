"""Speed measured side by side with the peers; results/ keeps what was measured, with its date."""
