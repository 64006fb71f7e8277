// For pages over plain HTTP, which browsers give no crypto.subtle.

export { sha256 } from '@noble/hashes/sha2.js'
