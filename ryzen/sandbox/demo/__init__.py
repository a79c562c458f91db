"""`ryzen demo`: Ryzen in a Telegram of its own, on loopback, without an account."""
