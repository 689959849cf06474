"""What registries differ in beyond the distribution protocol: one module for each product."""
