"""Rules that operators want, each in a file with a comment and tests; `smm-rules rules new` starts from them."""
