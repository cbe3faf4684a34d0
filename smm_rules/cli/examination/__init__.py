"""What `smm-rules doctor` looks at, one module an area. Everything only looks: nothing is made or changed."""
