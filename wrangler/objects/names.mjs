/** The name of the one vault. */
export const vaultName = "gateway";
