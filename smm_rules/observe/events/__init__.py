"""The catalogue of events, one module an area; each exports `EVENTS`."""
