"""The spiking adapter and what is learned from a few shots, from files and live."""
