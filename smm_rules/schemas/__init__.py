"""The JSON Schemas as files, for editors; `smm-rules schema` prints the same."""
