"""Pictures in motion before a simulated sensor."""
