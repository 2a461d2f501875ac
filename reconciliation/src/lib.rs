//! Matches a provider's bill with the hub's ledger, to the fen; pure.
