"""iniVation's cameras, through dv-processing."""
