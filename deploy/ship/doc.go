// Command ship is `make deploy`: it brings what was built to Cloudflare, and does
// nothing that was done before. It makes the bucket when it is missing, asks for
// or names the secrets that are absent, deploys, and looks whether what stands
// there then answers as it should.
//
// Owns: the order of these steps, and what "nothing has changed" means.
// Touches: wrangler, which alone speaks to Cloudflare, and the deployed address.
// Never: prints a secret, or passes one on a command line.
package main
