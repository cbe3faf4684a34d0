"""The files that `smm-rules init` writes, as they are, with @WORDS@ to be filled in."""
