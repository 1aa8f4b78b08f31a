"""Parts that the small worlds of several systems are built with."""
