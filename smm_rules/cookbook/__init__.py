"""Rules that operators want, each with a comment and tests; `smm-rules rules new` begins from them."""
