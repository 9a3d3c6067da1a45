//! The control plane: ARM resources, role assignments and the Graph subset that the Azure CLI needs.
