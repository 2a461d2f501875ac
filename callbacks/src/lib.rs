//! Opens a provider's signed message and judges what it means for an order; pure.
