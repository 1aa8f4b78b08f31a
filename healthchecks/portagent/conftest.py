"""The probes of portagent, by name; each stands in a file of its topic."""

from healthchecks.portagent.probes_provider import provider_key, provider_pace, provider_reach

__all__ = ["provider_key", "provider_pace", "provider_reach"]
