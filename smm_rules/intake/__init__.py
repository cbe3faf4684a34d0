"""How orders become known, for the API can not list them."""
