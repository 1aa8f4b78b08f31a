"""The health checks themselves: waivers, expectations their configuration."""
