"""The spiking adapter and what is learnt from a few shots, from files and live."""
