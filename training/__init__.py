"""How the bundled model event-nano is made: pictures, simulated frames, training, evaluation, export."""
