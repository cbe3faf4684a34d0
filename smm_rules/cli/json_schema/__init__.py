"""JSON Schema of rule files and of the configuration, made from the models that read them."""
