"""The bundled simulator and the daemon together, sped up."""
